"""What is told of each event is what the schema documents, under the names of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec
import pytest

from projections.trips.measure import Place
from read_service.past.happened import (
    TYPES,
    DerivedTripEnded,
    DerivedTripStarted,
    at,
    customer_of,
    entry,
)
from read_service.past.schemas import Happened
from vehicle_tracker.domain.connection import (
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
)
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.trip import OpenTrip, Trip
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
VIN = "YS2R4X20005399401"
OWNER = UUID(int=1)
NAMES = {OWNER: "Kalle"}
SECOND = timedelta(seconds=1)


def _own_events() -> Iterator[Any]:
    vehicle = Vehicle(vin=VIN, registration_number="A1", customer_id=OWNER, labels={"a": "b"})
    vehicle.change_registration_number("A2")
    vehicle.move_to_customer(OWNER)
    vehicle.change_labels({})
    vehicle.change_disconnect_after(None)
    vehicle.decommission()
    vehicle.recommission("A3", OWNER, {})
    yield from vehicle.collect_events()


def _trip_events() -> Iterator[Any]:
    trip = Trip(VIN, NOW, 59.2, 17.6, None, "Åsa")
    trip.end(VIN, NOW + SECOND, None, None, 12.5)
    yield from trip.collect_events()


EVENTS = [
    *_own_events(),
    VehicleConnected(VIN, NOW, 120),
    VehicleDisconnected(VIN, NOW, 120),
    ConnectionMended(VIN, NOW, 120, NOW - SECOND, NOW),
    *_trip_events(),
    DerivedTripStarted(UUID(int=2), NOW, Place(59.2, 17.6)),
    DerivedTripEnded(UUID(int=2), NOW + SECOND, None),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__qualname__)
def test_an_event_is_told_as_documented(event: Any) -> None:
    """Its type, when it happened, and what belongs to it; no field that the schema lacks."""
    told = entry(event, NAMES)
    assert told is not None
    shown = msgspec.json.decode(msgspec.json.encode(told))
    Happened().load(shown)
    assert shown["at"].endswith("Z")


def test_every_type_is_told_of() -> None:
    """The events above are all there are."""
    told = [entry(event, NAMES) for event in EVENTS]
    assert {one["type"] for one in told if one} == set(TYPES)


def test_the_fields_are_those_of_the_contract() -> None:
    """Each type has the fields that a client was promised, and no others."""
    own = {"at", "type"}
    registered = {"registration_number", "customer", "labels"}
    judged = {"recorded_at", "disconnect_after_s"}
    place = {"trip_id", "source", "latitude", "longitude"}
    assert [set(entry(event, NAMES) or ()) - own for event in EVENTS] == [
        registered,
        {"registration_number"},
        {"customer"},
        {"labels"},
        {"disconnect_after_s"},
        set(),
        registered,
        judged,
        judged,
        {"until", "disconnect_after_s"},
        place | {"driver"},
        place,
        place | {"driver"},
        place,
    ]


def test_it_happened_when_it_happened() -> None:
    """Not when it was told: trips and connections speak of other instants."""
    connected, disconnected, mended, started, ended, *derived = EVENTS[7:]
    assert (at(connected), at(disconnected)) == (NOW, NOW + 120 * SECOND)
    assert (at(mended), at(started), at(ended)) == (NOW - SECOND, NOW, NOW + SECOND)
    assert [at(edge) for edge in derived] == [NOW, NOW + SECOND]
    assert (entry(mended, NAMES) or {})["until"] == NOW + 120 * SECOND


def test_customers_are_named() -> None:
    """By the name that is known now; one that is not known yet has an empty one."""
    registered = EVENTS[0]
    assert customer_of(registered) == OWNER
    assert (entry(registered, NAMES) or {})["customer"] == {"customer_id": OWNER, "name": "Kalle"}
    assert (entry(registered, {}) or {})["customer"]["name"] == ""
    assert customer_of(EVENTS[1]) is None


def test_other_events_tell_nothing_of_a_vehicle() -> None:
    """A customer's, and the bookkeeping of which trip is open."""
    for aggregate in (Customer(name="Kalle", address="Väg 1"), OpenTrip(VIN, uuid4())):
        assert [entry(event, NAMES) for event in aggregate.collect_events()] == [None]
