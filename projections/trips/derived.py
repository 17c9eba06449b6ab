"""The derived trips of a vehicle as they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid5

from msgspec.structs import replace

from projections.trips.model import Trip
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from projections.trips.vehicle import Folded, Followed, Known


def derived_trips(folded: Folded) -> list[Trip]:
    """What the fold of a vehicle's heartbeats found: the trips that are over, and the open one."""
    vehicle = folded.vehicle
    trips = [_over(vehicle, known) for known in folded.finished]
    if vehicle.state.open:
        trips.append(_trip(vehicle, vehicle.state.open.started_at))
    return trips


def _over(vehicle: Followed, known: Known) -> Trip:
    return replace(
        _trip(vehicle, known.trip.started_at),
        ended_at=known.trip.ended_at,
        known_at=known.known_at,
        measured=known.trip.measured,
    )


def _trip(vehicle: Followed, started_at: datetime) -> Trip:
    id_ = vehicle_stream(vehicle.vin)
    return Trip(
        # The same trip has the same id, however often it is derived.
        trip_id=uuid5(id_, rfc3339(started_at)),
        source="derived",
        vehicle_id=id_,
        vin=vehicle.vin,
        customer_id=vehicle.customer_at(started_at),
        started_at=started_at,
    )
