"""Customers are remembered, and yet no page shows one as it was before it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles import remembered
from projections.customer_vehicles.fold import Key
from projections.customer_vehicles.model import CustomerDocument
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.customer_vehicles.store import CustomerVehiclesStore
from projections.store import Change
from tests.following import VINS, catch_up
from vehicle_tracker.domain.customer import Customer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from projections.customer_vehicles.model import Listed
    from vehicle_tracker.event_log import EventLog


@pytest.fixture
def others(event_log: EventLog) -> list[Customer]:
    """Three customers without vehicles."""
    some = [Customer(name=name, address="Väg 2") for name in ("Bulk", "Skrot", "Volvo")]
    for one in some:
        event_log.save(one)
    return some


def _names(listed: Listed) -> dict[str, str]:
    return {id_: one.name for id_, one in listed.customers.items()}


def _customers(engine: Engine) -> RelationalCustomerVehicles:
    return RelationalCustomerVehicles(engine, CUSTOMER_VEHICLES.name, 120)


def test_a_customer_that_changed_is_known_anew(
    event_log: EventLog, engine: Engine, fleet: Customer, others: list[Customer]
) -> None:
    """By the next who asks, and so are all that were remembered beside it."""
    bulk, skrot, _ = others
    catch_up(event_log, engine)
    customers = _customers(engine)
    ids = [str(fleet.id), str(bulk.id), str(skrot.id)]
    assert _names(customers.listed(VINS, ids)) == dict(
        zip(ids, ["Kalles Åkeri", "Bulk", "Skrot"], strict=True)
    )
    for name in ("Bulken", "Bulkarna"):
        bulk.change_details(name, bulk.address)
        event_log.save(bulk)
        catch_up(event_log, engine)
        assert _names(customers.listed(VINS, ids)) == dict(
            zip(ids, ["Kalles Åkeri", name, "Skrot"], strict=True)
        )
    fleet.change_details("Kalles", fleet.address)
    event_log.save(fleet)
    catch_up(event_log, engine)
    assert _names(customers.listed_and_largest([], 10)) == {ids[0]: "Kalles"}


def test_who_is_amended_is_known_anew(
    event_log: EventLog, engine: Engine, fleet: Customer, others: list[Customer]
) -> None:
    """An event that is folded after all is stored at the position at which others are already."""
    catch_up(event_log, engine)
    customers, store = _customers(engine), CustomerVehiclesStore(CUSTOMER_VEHICLES.name, engine)
    ids = [str(fleet.id), str(others[0].id)]
    assert _names(customers.listed([], ids))[ids[1]] == "Bulk"
    key = Key(CustomerDocument, ids[1])
    before = store.load([key])[key]
    assert isinstance(before, CustomerDocument)
    change = Change(before, replace(before, name="Bulken"))
    store.amend({key: change}, after=store.position(), replayed=0)
    assert _names(customers.listed([], ids)) == {ids[0]: "Kalles Åkeri", ids[1]: "Bulken"}


def test_who_is_not_there_yet_is_known_once_it_is(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """The index may be ahead of the tables: a customer that it counts may be in none of them."""
    catch_up(event_log, engine)
    customers, late = _customers(engine), Customer(name="Sen", address="Väg 3")
    ids = [str(fleet.id), str(late.id)]
    assert _names(customers.listed([], ids)) == {ids[0]: "Kalles Åkeri"}
    event_log.save(late)
    catch_up(event_log, engine)
    assert _names(customers.listed([], ids)) == {ids[0]: "Kalles Åkeri", ids[1]: "Sen"}


def test_more_than_are_remembered_are_known(
    event_log: EventLog,
    engine: Engine,
    others: list[Customer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However few may be remembered, all that are asked for are there, in any order of asking."""
    monkeypatch.setattr(remembered, "MOST_CUSTOMERS", 2)
    catch_up(event_log, engine)
    customers = _customers(engine)
    named = {str(one.id): one.name for one in others}
    first, second, third = named
    for ids in ([first], [second], [third], [first, third], [*named], [second]):
        assert _names(customers.listed([], ids)) == {id_: named[id_] for id_ in ids}


def test_what_is_remembered_is_not_asked_again(
    event_log: EventLog, engine: Engine, others: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only those are that nobody asked for before."""
    catch_up(event_log, engine)
    customers, asked = _customers(engine), list[str]()
    ask = remembered.array_of
    monkeypatch.setattr(remembered, "array_of", lambda ids: (asked.extend(ids), ask(ids))[1])
    first, second, third = (str(one.id) for one in others)
    for ids in ([first, second], [second, first], [first, third], [third]):
        customers.listed([], ids)
    assert asked == [first, second, third]
