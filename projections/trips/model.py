"""Trips as they are kept and shown, and the port that finds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol
from uuid import UUID

import msgspec

from projections.trips.measure import Measured, Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.vehicle_search.model import Box

Source = Literal["reported", "derived"]


class Said(msgspec.Struct, frozen=True, gc=False):
    """What whoever reported a trip said of its ends. None was not said."""

    start: Place | None = None
    start_odometer_km: float | None = None
    end: Place | None = None
    end_odometer_km: float | None = None


class Trip(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trip; `ended_at` is None while it is open.

    `measured`, and the places that its vehicle said on the way, are those of a trip that is over.
    `known_at` is the heartbeat by which it was known that a derived trip is over.
    """

    trip_id: UUID
    source: Source
    vehicle_id: UUID
    vin: str
    customer_id: UUID | None
    driver: str | None = None
    folded_driver: str = ""
    started_at: datetime
    ended_at: datetime | None = None
    known_at: datetime | None = None
    said: Said | None = None
    measured: Measured | None = None
    south: float | None = None
    north: float | None = None
    west: float | None = None
    east: float | None = None
    latitudes: list[float] = []
    longitudes: list[float] = []


class TripView(NamedTuple):
    """A trip as it is shown, beside its vehicle's plate and its customer's name."""

    trip: Trip
    registration_number: str
    customer_name: str


class TripPage(NamedTuple):
    """A page of trips as of one position of the log."""

    items: Sequence[TripView]
    next_cursor: str | None
    position: int


@dataclass(frozen=True, slots=True)
class TripQuery:
    """Which trips, and which page of them: those that started last come first.

    Each word of `q` must be found in the vehicle's VIN, plate or labels, the customer's name or
    the driver's. A trip went through `box` if one of its heartbeats is in there; of a trip that is
    not over that is not known yet. With `since` and `until`: trips of which a part is in between.
    """

    q: str = ""
    vin: str | None = None
    customer_ids: tuple[UUID, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    box: Box | None = None
    limit: int = 50
    cursor: str | None = None


class TripSearch(Protocol):
    """Finds trips, each answer as of one position of the log.

    A derived trip that overlaps a reported one of its vehicle is not shown. One that is open is
    over if its vehicle was silent until `now` for so long that it ends.
    """

    def position(self) -> int:
        """The position of the log that answers are of."""

    def find(self, query: TripQuery, now: datetime) -> TripPage:
        """A page of trips. Errors: `Invalid` with the code `invalid_cursor`.

        It may have fewer trips than asked for, while there are more behind its cursor.
        """


class Trips(TripSearch, Protocol):
    """The trips, by whatever they are asked for."""

    def knows(self, vin: str) -> bool:
        """True if a vehicle with this VIN was registered, whether it is in use or not."""

    def trip(self, trip_id: UUID, now: datetime) -> tuple[TripView | None, int]:
        """The trip with this id, and the position."""

    def open_trips(self, vehicle_ids: Sequence[UUID], now: datetime) -> Mapping[UUID, UUID]:
        """The open trips of those of the vehicles that have one: the reported one comes first."""

    def trips_at(self, vehicle_ids: Sequence[UUID], at: datetime) -> Mapping[UUID, UUID]:
        """The trips that those of the vehicles were on at an instant, over since then or not."""
