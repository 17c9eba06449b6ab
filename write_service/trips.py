"""What may be commanded of trips: they start, and they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

from vehicle_tracker.domain.trip import OpenTrip, Trip
from vehicle_tracker.domain.values import names_a_stream, vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.errors import Conflict, Invalid, unknown_trip, unknown_vehicle
from vehicle_tracker.resilience import after_a_conflict
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from vehicle_tracker.event_log import EventLog


class TripTold(NamedTuple):
    """A trip, and the position at which what was told of it is visible."""

    trip_id: UUID
    position: int


class Point(NamedTuple):
    """Where a trip starts or ends, as far as it was said."""

    latitude: float | None = None
    longitude: float | None = None
    odometer_km: float | None = None


class TripRecorder:
    """The commands for trips. What is repeated, because an answer was lost, changes nothing.

    Errors: `Unknown`, `Conflict`, `Invalid`; and while PostgreSQL is away one of `LOG_UNREACHABLE`.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def start_trip(
        self,
        vin: str,
        started_at: datetime,
        point: Point,
        driver: str | None = None,
        trip_id: UUID | None = None,
    ) -> TripTold:
        """Start a trip of a vehicle in use, under an id of the caller's if there is one.

        Errors: `Unknown` (`unknown_vehicle`), `Conflict` (`trip_already_open`, `trip_exists`).
        """
        content = {"vin": vin, "started_at": started_at, **point._asdict(), "driver": driver}
        return self._start_trip(trip_id or uuid4(), content)

    @after_a_conflict
    def _start_trip(self, trip_id: UUID, content: dict[str, Any]) -> TripTold:
        vin = content["vin"]
        # Read before the trip: sent twice at once, whoever finds it open finds the trip, too.
        open_trip = self._open_trip(vin)
        found = self._log.aggregates([trip_id, vehicle_stream(vin)])
        if known := found.get(trip_id):
            if isinstance(known, Trip) and _content(known) == content:
                return TripTold(trip_id, self._log.head())
            raise Conflict("trip_exists", f"{trip_id} is the id of something else already.")
        vehicle: Vehicle | None = found.get(vehicle_stream(vin))
        if vehicle is None or not vehicle.in_use:
            raise unknown_vehicle(vin)
        if open_trip is None:
            open_trip = OpenTrip(vin=vin, trip_id=trip_id)
        elif open_trip.trip_id:
            raise Conflict("trip_already_open", f"Trip {open_trip.trip_id} of {vin} is open.")
        else:
            open_trip.open(trip_id=trip_id)
        return self._save(Trip(**content, id=trip_id), open_trip)

    @after_a_conflict
    def end_trip(self, trip_id: UUID, ended_at: datetime, point: Point) -> TripTold:
        """End a trip, also that of a vehicle that is in use no longer.

        Errors: `Unknown` (`unknown_trip`), `Invalid` if it ends before it started, `Conflict`
        (`trip_already_ended`) if it ended at another time.
        """
        trip = self._trip(trip_id)
        if trip.ended_at == ended_at:
            return TripTold(trip_id, self._log.head())
        if trip.ended_at:
            raise Conflict(
                "trip_already_ended", f"Trip {trip_id} ended at {rfc3339(trip.ended_at)} already."
            )
        if ended_at < trip.started_at:
            start = rfc3339(trip.started_at)
            raise Invalid(
                "invalid_request",
                f"ended_at is before the trip started, at {start}.",
                errors={"ended_at": [f"expected a time not before {start}"]},
            )
        trip.end(vin=trip.vin, ended_at=ended_at, **point._asdict())
        open_trip = self._open_trip(trip.vin)
        # It is another if somebody ended this one just now: then saving it again is a conflict.
        if open_trip and open_trip.trip_id == trip_id:
            open_trip.close(trip_id=trip_id)
        return self._save(trip, open_trip)

    def _trip(self, trip_id: UUID) -> Trip:
        # A stream of ours may be a vehicle's heartbeats, which are no aggregate.
        found = {} if names_a_stream(trip_id) else self._log.aggregates([trip_id])
        trip = found.get(trip_id)
        if not isinstance(trip, Trip):
            raise unknown_trip(trip_id)
        return trip

    def _open_trip(self, vin: str) -> OpenTrip | None:
        last = self._log.last_event(OpenTrip.create_id(vin))
        return OpenTrip.as_of(last) if last else None

    def _save(self, trip: Trip, open_trip: OpenTrip | None) -> TripTold:
        """Both or neither: a trip that is open is the vehicle's open trip."""
        return TripTold(trip.id, self._log.save(trip, open_trip)[-1].notification.id)


def _content(trip: Trip) -> dict[str, Any]:
    told = ("vin", "started_at", *Point._fields, "driver")
    return {name: getattr(trip, name) for name in told}
