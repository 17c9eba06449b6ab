"""The routes by which trips are told of: load, call one method, dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import Invalid
from vehicle_tracker.web import ApiBlueprint
from write_service.heartbeat_message import AHEAD
from write_service.trip_schemas import TripEnd, TripStart, TripWritten
from write_service.trips import Point

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from write_service.trips import TripRecorder


def trips_api(recorder: TripRecorder) -> ApiBlueprint:
    """The routes by which trips are told of."""
    blueprint = ApiBlueprint("trips", __name__, url_prefix="/api/v1")

    @blueprint.route("/vehicles/<vin>/trips", methods=["POST"])
    @blueprint.arguments(TripStart)
    @blueprint.response(201, TripWritten)
    @blueprint.refuses(404, "unknown_vehicle")
    @blueprint.refuses(409, "trip_already_open", "trip_exists")
    def start_trip(told: dict[str, Any], vin: str) -> Any:
        """Start a trip. The same again, under a `trip_id` of your own, is the same trip."""
        _not_ahead("started_at", told["started_at"], utc_now())
        return recorder.start_trip(vin, point=_point(told), **told)._asdict()

    @blueprint.route("/trips/<uuid:trip_id>/end", methods=["POST"])
    @blueprint.arguments(TripEnd)
    @blueprint.response(200, TripWritten)
    @blueprint.refuses(404, "unknown_trip")
    @blueprint.refuses(409, "trip_already_ended")
    def end_trip(told: dict[str, Any], trip_id: UUID) -> Any:
        """End a trip. The same time again changes nothing."""
        _not_ahead("ended_at", told["ended_at"], utc_now())
        return recorder.end_trip(trip_id, point=_point(told), **told)._asdict()

    return blueprint


def _point(told: dict[str, Any]) -> Point:
    """Take out of what was told where it was."""
    return Point(**{name: told.pop(name, None) for name in Point._fields})


def _not_ahead(field: str, instant: datetime, now: datetime) -> None:
    if instant > now + AHEAD:
        raise Invalid(
            "invalid_request",
            f"{field} is more than 5 minutes ahead of the server's clock, {now:%H:%M:%SZ}.",
            errors={field: ["expected at most 5 minutes ahead of the server's clock"]},
        )
