"""Trips that somebody told us of: a driver, a gateway, another system.

Trips that follow from heartbeats alone are no events; they are derived in `projections.trips`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.domain import Aggregate, event

_OPEN_TRIPS = uuid5(NAMESPACE_URL, "vehicle-tracker:open-trip")


class Trip(Aggregate):
    """One trip of one vehicle. Degrees are WGS 84; None was not said."""

    TOPIC = "Trip"

    class Created(Aggregate.Created):
        """The trip has begun."""

        TOPIC = "Trip.Created"
        vin: str
        started_at: datetime
        latitude: float | None
        longitude: float | None
        odometer_km: float | None
        driver: str | None

    class Ended(Aggregate.Event):
        """The trip is over."""

        TOPIC = "Trip.Ended"
        vin: str
        ended_at: datetime
        latitude: float | None
        longitude: float | None
        odometer_km: float | None

    @event(Created)
    def __init__(  # noqa: PLR0913, PLR0917 # as many as the event has
        self,
        vin: str,
        started_at: datetime,
        latitude: float | None,
        longitude: float | None,
        odometer_km: float | None,
        driver: str | None,
        id: UUID | None = None,  # noqa: A002, ARG002 # the library's name; it keeps it itself
    ) -> None:
        self.vin = vin
        self.started_at = started_at
        self.latitude = latitude
        self.longitude = longitude
        self.odometer_km = odometer_km
        self.driver = driver
        self.ended_at: datetime | None = None

    @event(Ended)
    def end(
        self,
        vin: str,  # noqa: ARG002 # these are the event's: its readers know no trip but by it
        ended_at: datetime,
        latitude: float | None,  # noqa: ARG002
        longitude: float | None,  # noqa: ARG002
        odometer_km: float | None,  # noqa: ARG002
    ) -> None:
        """End it there and then."""
        self.ended_at = ended_at


class OpenTrip(Aggregate):
    """Which trip of a vehicle is open, so that there are never two.

    Its stream is named by the VIN. Each event says all there is to know, so the last one is enough.
    """

    TOPIC = "OpenTrip"

    class Created(Aggregate.Created):
        """The vehicle's first trip has begun."""

        TOPIC = "OpenTrip.Created"
        vin: str
        trip_id: UUID

    class Opened(Aggregate.Event):
        """Another trip has begun."""

        TOPIC = "OpenTrip.Opened"
        trip_id: UUID

    class Closed(Aggregate.Event):
        """The trip is over."""

        TOPIC = "OpenTrip.Closed"
        trip_id: UUID

    @staticmethod
    def create_id(vin: str) -> UUID:
        """One stream a VIN."""
        return uuid5(_OPEN_TRIPS, vin)

    @event(Created)
    def __init__(self, vin: str, trip_id: UUID) -> None:  # noqa: ARG002 # the VIN is for readers
        self.trip_id: UUID | None = trip_id

    @classmethod
    def as_of(cls, last: Aggregate.Event) -> OpenTrip:
        """The aggregate by its last event alone: its stream grows for ever."""
        self = cls.__new__(cls)
        self.__base_init__(last.originator_id, last.originator_version, last.timestamp)
        self.trip_id = None
        if isinstance(last, OpenTrip.Created | OpenTrip.Opened):
            self.trip_id = last.trip_id
        return self

    @event(Opened)
    def open(self, trip_id: UUID) -> None:
        """Another trip has begun."""
        self.trip_id = trip_id

    @event(Closed)
    def close(self, trip_id: UUID) -> None:
        """The trip is over."""
        self.trip_id = None if trip_id == self.trip_id else self.trip_id
