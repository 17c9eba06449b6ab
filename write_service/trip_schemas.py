"""What may be told of a trip, and what is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from vehicle_tracker.domain.values import names_a_stream
from vehicle_tracker.schemas import Instant, Text
from write_service.heartbeat_message import Number
from write_service.schemas import Strict, Written

_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)


class TripInstant(Instant):
    """An instant that can be told in UTC."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        instant: datetime = super()._deserialize(value, *args, **kwargs)
        if instant < _EARLIEST:
            raise ValidationError("expected a time after the year 1 began, in UTC")
        return instant


class NewTripId(fields.UUID):
    """A UUID of the caller's, by which a trip that is told of again is known again."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        trip_id = super()._deserialize(value, *args, **kwargs)
        if names_a_stream(trip_id):
            raise ValidationError("expected a UUID of another version than 5, best 4 or 7")
        return trip_id


class _Point(Strict):
    latitude = Number(-90, 90)
    longitude = Number(-180, 180)
    odometer_km = Number(0)

    @validates_schema
    def both_or_neither(self, data: dict[str, Any], **_: object) -> None:
        """Half a place is none."""
        missing = [name for name in ("latitude", "longitude") if data.get(name) is None]
        if len(missing) == 1:
            raise ValidationError(
                "expected together with the other of latitude and longitude", missing[0]
            )


class TripStart(_Point):
    """A trip that starts. `trip_id` may be chosen, so that it can be sent again."""

    trip_id = NewTripId(allow_none=True)
    started_at = TripInstant(required=True)
    driver = Text(longest=120, allow_none=True, metadata={"example": "Kalle Karlsson"})


class TripEnd(_Point):
    """Where and when a trip ends."""

    ended_at = TripInstant(required=True)


class TripWritten(Written):
    """A trip was started or ended."""

    trip_id = fields.UUID(required=True)
