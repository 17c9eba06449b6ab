"""What may be asked of the past, as OpenAPI shows it and as it is validated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from read_service.queries import PageQuery, PeriodQuery, VehiclesQuery
from vehicle_tracker.schemas import Instant

LONGEST_PERIOD = timedelta(days=366)
TOO_LONG = f"expected at most {LONGEST_PERIOD.days} days after `from`"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_since_1970 = validate.Range(min=_EPOCH, error="expected a time since 1970")


class HistoryQuery(PeriodQuery):
    """A period that is not too long to be told."""

    @validates_schema
    def _not_too_long(self, data: dict[str, Any], **_: Any) -> None:
        if data["from_"] and data["to"] and data["to"] - data["from_"] > LONGEST_PERIOD:
            raise ValidationError(TOO_LONG, "to")


class TimelineQuery(HistoryQuery, PageQuery):
    """What of a vehicle's timeline, the newest first."""


class AvailabilityQuery(HistoryQuery):
    """Of which period, and written how."""

    from_ = Instant(
        data_key="from",
        load_default=None,
        validate=_since_1970,
        metadata={"description": "from this instant on; 24 hours before `to` if not given"},
    )
    to = Instant(
        load_default=None,
        validate=_since_1970,
        metadata={"description": "before this instant; now if not given, and never later"},
    )
    format = fields.String(
        load_default=None,
        validate=validate.OneOf(["json", "csv"]),
        metadata={"description": "instead of the header `Accept`, for a link"},
    )


class CustomerAvailabilityQuery(AvailabilityQuery, PageQuery):
    """Which page of its vehicles. Give `from` and `to` of the first page with the next ones."""


class FleetQuery(VehiclesQuery):
    """Which vehicles, as they were when."""

    at = Instant(
        required=True,
        validate=_since_1970,
        metadata={"description": "the instant that is shown; not later than `as_of`"},
    )
