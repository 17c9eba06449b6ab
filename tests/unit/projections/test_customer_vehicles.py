"""The fold of customers and vehicles: any order, any repetition, the same documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.customer_vehicles.fold import Key, evolve, key_of, with_said
from projections.customer_vehicles.model import CustomerDocument, VehicleDocument
from projections.customer_vehicles.said import Said
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VIN = "YS2R4X20005399401"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
OWNER, BUYER = UUID(int=1), UUID(int=2)


def _heartbeat(at: datetime, *, vin: str = VIN, **said: Any) -> HeartbeatRecorded:
    return HeartbeatRecorded(NOW, Heartbeat(vin=vin, recorded_at=at, **said))


def _folded(events: Iterable[Any], documents: dict[Any, Any] | None = None) -> dict[Any, Any]:
    """The documents after the events, by kind: what was decided about the vehicle, what it said."""
    documents = dict(documents or {})
    for event in events:
        kind = key_of(event).kind
        documents[kind] = evolve(documents.get(kind), event)
    return documents


def _vehicle(events: Iterable[Any]) -> Any:
    """A vehicle that was registered, with all that it said last."""
    documents = _folded(events)
    return with_said(documents[VehicleDocument], documents[Said])


def _life(steps: Sequence[str]) -> list[Any]:
    """The events of a vehicle that is registered and then lives through these steps."""
    vehicle = Vehicle(vin=VIN, registration_number="ABC 123", customer_id=OWNER, labels={"a": "b"})
    for number, step in enumerate(steps):
        match step:
            case "plate":
                vehicle.change_registration_number(f"DEF{number}")
            case "sold":
                vehicle.move_to_customer(BUYER)
            case "labels":
                vehicle.change_labels({"Depå": f"Umeå {number}"})
            case "limit":
                vehicle.change_disconnect_after(None if vehicle.disconnect_after_s else number + 1)
            case "out":
                vehicle.decommission()
            case _:
                vehicle.recommission(f"GHI{number}", OWNER, {})
    return list(vehicle.collect_events())


places = st.one_of(
    st.just({}),
    st.builds(
        lambda lat, lon: {"latitude": lat, "longitude": lon},
        st.floats(-90, 90),
        st.floats(-180, 180),
    ),
)
heartbeats = st.lists(
    st.builds(
        lambda at, place, speed: _heartbeat(at, speed_kmh=speed, **place),
        st.integers(0, 1_000).map(lambda s: NOW - timedelta(seconds=s)),
        places,
        st.none() | st.floats(0, 200),
    ),
    max_size=12,
    unique_by=lambda event: event.version,
)
lives = st.lists(
    st.sampled_from(["plate", "sold", "labels", "limit", "out", "in"]), max_size=6
).map(_life)


@given(own=lives, said=heartbeats, data=st.data())
def test_any_order_of_heartbeats_makes_the_same_vehicle(
    own: list[Any], said: list[HeartbeatRecorded], data: st.DataObject
) -> None:
    """Heartbeats in any order, repeated, anywhere among the vehicle's own events, repeated."""
    anyhow = data.draw(
        st.permutations([*said, *data.draw(st.lists(st.sampled_from(said or [None])))])
    )
    mixed = [event for event in anyhow if event]
    redelivered = own[: data.draw(st.integers(0, len(own)))]
    place = 0
    for event in [*redelivered, *own]:
        place = data.draw(st.integers(place, len(mixed)))
        mixed.insert(place, event)
        place += 1
    assert _folded(mixed) == _folded([*own, *sorted(said, key=lambda event: event.version)])


@given(own=lives, said=heartbeats, data=st.data())
def test_redelivery_changes_nothing(
    own: list[Any], said: list[HeartbeatRecorded], data: st.DataObject
) -> None:
    """Any part of what was folded, folded again, gives the very same documents."""
    events = [*own, *said]
    documents = _folded(events)
    start = data.draw(st.integers(0, len(events)))
    stop = data.draw(st.integers(start, len(events)))
    again = _folded(events[start:stop], documents)
    assert all(again[kind] is document for kind, document in documents.items())


def test_the_newest_heartbeat_wins_and_the_last_known_place_stays() -> None:
    """Measurements are the newest heartbeat's; the place is the last one that was said."""
    there = _heartbeat(NOW - timedelta(minutes=1), latitude=59.2, longitude=17.6, speed_kmh=50)
    here = _heartbeat(NOW, ignition=False)
    document = _vehicle([*_life([]), here, there])
    assert (document.latitude, document.longitude) == (59.2, 17.6)
    assert document.position_recorded_at == there.recorded_at
    assert (document.last_heartbeat_at, document.ignition) == (NOW, False)
    assert document.speed_kmh is None


def test_a_heartbeat_without_a_time_is_of_its_receipt() -> None:
    """What the vehicle did not date is as old as its receipt."""
    (said,) = _folded([HeartbeatRecorded(NOW, Heartbeat(vin=VIN))]).values()
    assert said.measurements()[0] == NOW


def test_an_instant_that_is_none_in_utc_is_refused() -> None:
    """It is refused by the fold, so that it is parked, and not by who stores."""
    at = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    with pytest.raises(OverflowError):
        evolve(None, _heartbeat(at))


def test_a_vehicle_is_searched_by_all_that_it_is_called() -> None:
    """VIN, plate without its space, label keys and values, comparable."""
    document = _folded(_life(["labels"]))[VehicleDocument]
    assert document.search_text == "ys2r4x20005399401 abc123 depa=umea 0"


def test_a_vehicle_leaves_and_comes_back() -> None:
    """Decommissioned it is marked as such; recommissioned it is what it was registered as then."""
    gone = _folded(_life(["sold", "out"]))[VehicleDocument]
    assert gone.decommissioned_at is not None
    back = _folded(_life(["sold", "out", "in"]))[VehicleDocument]
    assert (back.decommissioned_at, back.customer_id) == (None, OWNER)
    assert back.registered_at is not None


def test_customers_are_created_and_change() -> None:
    """A customer is what its newest event says; the time of registering stays."""
    customer = Customer(name="Kalles Åkeri", address="Vägen 1")
    customer.change_disconnect_after(300)
    customer.change_details("Kalles Grus", "Vägen 2")
    created, limited, changed = events = list(customer.collect_events())
    documents = _folded(events)
    assert documents[CustomerDocument] == CustomerDocument(
        customer_id=customer.id,
        version=3,
        name="Kalles Grus",
        address="Vägen 2",
        folded_name="kalles grus",
        registered_at=created.timestamp,
        disconnect_after_s=300,
    )
    assert _folded(events, documents)[CustomerDocument] is documents[CustomerDocument]
    customer.change_disconnect_after(None)
    unlimited = _folded(customer.collect_events(), documents)[CustomerDocument]
    assert unlimited.disconnect_after_s is None
    assert key_of(limited) == key_of(changed) == Key(CustomerDocument, str(customer.id))


def test_events_find_the_document_of_their_vehicle() -> None:
    """A vehicle's own events meet in one document, its heartbeats in another."""
    key = Key(VehicleDocument, str(vehicle_stream(VIN)))
    assert {key_of(event) for event in _life(["sold"])} == {key}
    assert key_of(_heartbeat(NOW)) == Key(Said, VIN)


@pytest.mark.parametrize("document", [None, VehicleDocument(vehicle_id=OWNER, vin=VIN)])
def test_what_was_never_registered_does_not_change(document: Any) -> None:
    """An event without the registration before it is refused, so that it is parked and seen."""
    _, moved = _life(["sold"])
    with pytest.raises(LookupError):
        evolve(document, moved)


def test_a_customer_that_was_never_registered_does_not_change() -> None:
    """The same for customers."""
    customer = Customer(name="Kalle", address="Väg 1")
    customer.change_details("Kalle", "Väg 2")
    with pytest.raises(LookupError):
        evolve(None, customer.collect_events()[-1])
