"""How far, how fast, from where to where: what some heartbeats in a row add up to."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyproj import Geod

    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded

_HOUR = timedelta(hours=1)


class Reading(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a heartbeat says that matters to a trip. None was not said."""

    recorded_at: datetime
    latitude: float | None = None
    longitude: float | None = None
    speed_kmh: float | None = None
    odometer_km: float | None = None
    ignition: bool | None = None
    accuracy_m: float | None = None

    @staticmethod
    def of(event: HeartbeatRecorded) -> Reading:
        """The reading of a heartbeat of the log."""
        said = event.heartbeat
        return Reading(
            event.recorded_at,
            said.latitude,
            said.longitude,
            said.speed_kmh,
            said.odometer_km,
            said.ignition,
            said.accuracy_m,
        )

    @property
    def place(self) -> Place | None:
        """Where it was, if it said so."""
        if self.latitude is None or self.longitude is None:
            return None
        return Place(self.latitude, self.longitude)

    @property
    def tells_of_trips(self) -> bool:
        """Whether driving or standing can be told from it; "here I am" is neither."""
        return (
            self.speed_kmh is not None
            or self.odometer_km is not None
            or self.ignition is False
            or self.says_place
        )

    @property
    def says_place(self) -> bool:
        """Whether it says where it was."""
        return self.latitude is not None and self.longitude is not None


class Place(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


class Measured(NamedTuple):
    """What is known of a trip's way. None where the heartbeats do not tell."""

    distance_km: float | None
    distance_by: Literal["odometer", "positions"] | None
    maximum_speed_kmh: float | None
    mean_speed_kmh: float | None
    start: Place | None
    end: Place | None


class Way(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The heartbeats of a trip so far, added up: all that measuring them needs."""

    since: datetime
    until: datetime
    first_odometer_km: float | None
    last_odometer_km: float | None
    highest_odometer_km: float | None
    odometer_fell: bool
    start: Place | None
    end: Place | None
    places_km: float | None
    maximum_speed_kmh: float | None

    @staticmethod
    def begin(first: Reading) -> Way:
        """The way that consists of one heartbeat."""
        odometer, place = first.odometer_km, first.place
        return Way(
            first.recorded_at,
            first.recorded_at,
            odometer,
            odometer,
            odometer,
            odometer_fell=False,
            start=place,
            end=place,
            places_km=None,
            maximum_speed_kmh=first.speed_kmh,
        )

    def on(self, to: Reading) -> Way:
        """The way, with the next heartbeat."""
        odometer, highest, place = to.odometer_km, self.highest_odometer_km, to.place
        fell = odometer is not None and highest is not None and odometer < highest
        places_km = self.places_km
        if place and self.end:
            places_km = (places_km or 0.0) + distance_km(self.end, place)
        return Way(
            self.since,
            to.recorded_at,
            self.first_odometer_km,
            odometer,
            _higher(highest, odometer),
            odometer_fell=self.odometer_fell or fell,
            start=self.start or place,
            end=place or self.end,
            places_km=places_km,
            maximum_speed_kmh=_higher(self.maximum_speed_kmh, to.speed_kmh),
        )

    def measured(self) -> Measured:
        """What it adds up to.

        The distance is the odometer's if the first and the last heartbeat said it and it never
        went back on the way, else that from each known place to the next on the ground.
        """
        first, last = self.first_odometer_km, self.last_odometer_km
        distance, by = self.places_km, "positions"
        if first is not None and last is not None and not self.odometer_fell:
            distance, by = last - first, "odometer"
        return Measured(
            distance,
            None if distance is None else by,  # type: ignore[arg-type] # one of the two
            self.maximum_speed_kmh,
            mean_kmh(distance, self.until - self.since),
            self.start,
            self.end,
        )


def measure(heartbeats: Iterable[Reading]) -> Measured:
    """What these heartbeats, by `recorded_at`, add up to; of none, nothing is known."""
    way: Way | None = None
    for one in heartbeats:
        way = way.on(one) if way else Way.begin(one)
    return way.measured() if way else Measured(None, None, None, None, None, None)


def distance_km(start: Place, end: Place) -> float:
    """The shortest way on the ground."""
    if start == end:
        return 0.0
    _, _, metres = _earth().inv(start.longitude, start.latitude, end.longitude, end.latitude)
    return float(metres) / 1000


@cache
def _earth() -> Geod:
    # Who only shows trips, or follows vehicles, starts sooner without it.
    from pyproj import Geod  # noqa: PLC0415

    return Geod(ellps="WGS84")


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def mean_kmh(distance: float | None, duration: timedelta) -> float | None:
    """Distance by duration; a clock that says nonsense may make it a number that is none."""
    if distance is None or not duration:
        return None
    mean = distance / (duration / _HOUR)
    return mean if isfinite(mean) else None
