"""How many vehicles each customer has is kept: by every step, whoever took the one before.

That it is what the log comes to, whatever happens, is in `test_equal_to_the_fold`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import select, update

from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.customer_vehicles.relational import fleet_size
from tests.following import NOW, VINS, catch_up, new_follower, record, to_the_end
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog


def _sizes(engine: Engine) -> dict[UUID, int]:
    with engine.connect() as connection:
        found = connection.execute(select(fleet_size))
        return {row.customer_id: row.vehicles for row in found}


def _by_an_older_release(log: EventLog, engine: Engine) -> None:
    """Fold what there is with a follower that does not count."""
    catch_up(log, engine)
    with engine.begin() as connection:
        connection.execute(update(fleet_size).values(vehicles=1_000))


@pytest.mark.parametrize("steps", [0, 1])
def test_who_takes_over_counts_anew(
    event_log: EventLog, engine: Engine, fleet: Customer, steps: int
) -> None:
    """After an older release that did not count: a new follower, and one that was overtaken."""
    follower = new_follower(event_log, engine)
    for _ in range(steps):
        to_the_end(follower)
        record(event_log, VINS[0], NOW + timedelta(hours=1))
    _by_an_older_release(event_log, engine)
    assert _sizes(engine) == {fleet.id: 1_000}
    record(event_log, VINS[0], NOW + timedelta(hours=2))
    to_the_end(follower)
    assert _sizes(engine) == {fleet.id: len(VINS)}


def test_the_largest_fleets_are_known(event_log: EventLog, engine: Engine, fleet: Customer) -> None:
    """So many customers with the most vehicles in use, by name; equal ones by their ids."""
    others = [Customer(name=name, address="Väg 2") for name in ("Skrot", "Bulk", "Utan fordon")]
    for number, owner in enumerate(others[:2]):
        event_log.save(owner)
        vin = f"YS2R4X2000538801{number}"
        event_log.save(
            Vehicle(vin=vin, registration_number=vin[-6:], customer_id=owner.id, labels={})
        )
    event_log.save(others[2])
    scrapped = event_log.repository.get(vehicle_stream(VINS[0]))
    assert isinstance(scrapped, Vehicle)
    scrapped.decommission()
    event_log.save(scrapped)
    catch_up(event_log, engine)
    customers = RelationalCustomerVehicles(engine, CUSTOMER_VEHICLES.name, 120)
    first = min(others[:2], key=lambda one: one.id)
    known = customers.listed_and_largest([VINS[0], VINS[1]], 2)
    assert list(known.fleet_sizes.items()) == [
        (str(fleet.id), len(VINS) - 1),
        (str(first.id), 1),
    ]
    names = {id_: one.name for id_, one in known.customers.items()}
    assert names == {str(fleet.id): "Kalles Åkeri", str(first.id): first.name}
    assert [view.vehicle.vin for view in known.vehicles.values()] == [VINS[1]]
    assert known.position == event_log.head()
    assert set(customers.listed_and_largest([], 100).fleet_sizes) == {
        str(one.id) for one in (fleet, *others[:2])
    }
