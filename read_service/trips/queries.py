"""What may be asked of trips, as OpenAPI shows it and as it is validated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from read_service.filter_fields import BoxField
from read_service.queries import MOST_IDS, AsOfQuery, PageQuery, PeriodQuery, Words
from vehicle_tracker.schemas import Vin

LONGEST_PERIOD = timedelta(days=366)


class VehicleTripsQuery(PeriodQuery, PageQuery):
    """Which trips of a vehicle: those of which a part is in the period."""

    @validates_schema
    def _not_too_long(self, data: dict[str, Any], **_: Any) -> None:
        if data["from_"] and data["to"] and data["to"] - data["from_"] > LONGEST_PERIOD:
            raise ValidationError(f"expected at most {LONGEST_PERIOD.days} days after `from`", "to")


class TripsQuery(VehicleTripsQuery):
    """Which trips."""

    q = Words(
        "each word is found in the VIN, plate, labels, customer or driver: as a fragment, without"
        " regard to case, accents and hyphens",
        example="kalle",
    )
    vin = Vin(load_default=None)
    customer_id = fields.List(
        fields.UUID(),
        load_default=(),
        validate=validate.Length(max=MOST_IDS),
        metadata={"description": "repeatable; whose the vehicle was when the trip began"},
    )
    bbox = BoxField()


class TrackQuery(AsOfQuery):
    """A track, written how."""

    format = fields.String(
        load_default=None,
        validate=validate.OneOf(["geojson", "gpx"]),
        metadata={"description": "instead of the header `Accept`, for a link"},
    )
