"""What a trip measures: by the odometer where it can be believed, else by places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import asdict

from projections.trips.measure import Measured, Place, Reading, measure
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
SOUTH, NORTH = Place(59.0, 17.6), Place(59.1, 17.6)
BETWEEN_KM = 11.141  # one tenth of a degree of a meridian at 59° N


def said(minute: int, place: Place | None = None, **more: Any) -> Reading:
    where = asdict(place) if place else {}
    return Reading(BEGIN + timedelta(minutes=minute), **where, **more)


def test_by_odometer() -> None:
    """First and last said it: that is the distance, whatever the places say."""
    found = measure(
        [
            said(0, SOUTH, odometer_km=100.0, speed_kmh=10),
            said(5, speed_kmh=80),
            said(10, NORTH, odometer_km=112.5, speed_kmh=0),
        ]
    )
    assert found == Measured(12.5, "odometer", 80, 75.0, SOUTH, NORTH)


@pytest.mark.parametrize(
    "odometers", [(None, 1, 2), (1, 2, None), (5, 2, 3), (1, 9, 8), (None, None, None)]
)
def test_by_positions(odometers: tuple[float | None, ...]) -> None:
    """An odometer that was not said at both ends, or went back, is not believed."""
    places = (SOUTH, NORTH, SOUTH)
    found = measure(
        said(10 * n, place, odometer_km=odometer)
        for n, (place, odometer) in enumerate(zip(places, odometers, strict=True))
    )
    assert found.distance_by == "positions"
    assert found.distance_km == pytest.approx(2 * BETWEEN_KM, abs=0.01)
    assert found.mean_speed_kmh == pytest.approx(6 * BETWEEN_KM, abs=0.1)
    assert (found.maximum_speed_kmh, found.start, found.end) == (None, SOUTH, SOUTH)


def test_what_is_not_known_is_none() -> None:
    """One place is no distance, one instant no speed, and of nothing nothing is known."""
    assert measure([said(0), said(1, NORTH)]) == Measured(None, None, None, None, NORTH, NORTH)
    assert measure([said(0, odometer_km=5)]) == Measured(0.0, "odometer", None, None, None, None)
    assert measure([]) == Measured(None, None, None, None, None, None)


def test_a_mean_that_is_no_number() -> None:
    """An odometer that says nonsense within a microsecond gives no infinite speed."""
    first = said(0, odometer_km=0)
    last = Reading(BEGIN + timedelta(microseconds=1), odometer_km=1e308)
    assert measure([first, last]).mean_speed_kmh is None


def test_a_reading_of_a_heartbeat() -> None:
    """All that matters is taken over; the time is that of receipt if the vehicle said none."""
    said_ = Heartbeat(
        vin="YS2R4X20005399401",
        latitude=59.0,
        longitude=17.6,
        speed_kmh=50.0,
        odometer_km=7.0,
        ignition=True,
        accuracy_m=3.0,
    )
    expected = Reading(BEGIN, 59.0, 17.6, 50.0, 7.0, ignition=True, accuracy_m=3.0)
    assert Reading.of(HeartbeatRecorded(BEGIN, said_)) == expected
