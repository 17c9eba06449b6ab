"""What is answered of the past, as OpenAPI shows it; a test holds the answers against this."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from projections.customer_vehicles.model import STATUSES
from read_service.past.happened import TYPES
from read_service.schemas import AsOf, CustomerName, Paged, VehiclePage
from vehicle_tracker.schemas import Instant, Vin


class Spell(Schema):
    """From when until when a vehicle was what."""

    from_ = Instant(data_key="from", required=True)
    to = Instant(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))


class Share(Schema):
    """How much of a period something was connected."""

    connected_s = fields.Float(required=True)
    connected_share = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "0 to 1; null if the period is empty"},
    )


class VehicleShare(Share):
    """A vehicle's availability. The intervals cover the period, by time and without gaps."""

    vin = Vin(required=True)
    registration_number = fields.String(required=True, metadata={"example": "ABC123"})
    disconnect_after_s = fields.Integer(
        required=True, metadata={"description": "so long a heartbeat connects: the limit of now"}
    )
    intervals = fields.List(fields.Nested(Spell), required=True)


class _Period(Schema):
    from_ = Instant(data_key="from", required=True)
    to = Instant(required=True)


class VehicleAvailability(VehicleShare, _Period, AsOf):
    """A vehicle's availability in a period."""


class CustomerAvailability(Share, _Period, Paged):
    """The availability of a customer's vehicles in use, each since it became the customer's."""

    customer_id = fields.UUID(required=True)
    items = fields.List(
        fields.Nested(VehicleShare),
        required=True,
        metadata={"description": "by VIN; `connected_s` and the share above are of all of them"},
    )


class Happened(Schema):
    """Something that happened to a vehicle. Which other fields there are depends on `type`."""

    at = Instant(required=True)
    type = fields.String(
        required=True,
        validate=validate.OneOf(TYPES),
    )
    registration_number = fields.String()
    customer = fields.Nested(CustomerName)
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    disconnect_after_s = fields.Integer(
        allow_none=True,
        metadata={"description": "the limit from now on, or the one it was judged by"},
    )
    recorded_at = Instant(metadata={"description": "the heartbeat it was judged by"})
    until = Instant(metadata={"description": "until when late heartbeats say it was connected"})
    trip_id = fields.UUID()
    source = fields.String(
        validate=validate.OneOf(["reported", "derived"]),
        metadata={"description": "of a trip: somebody told of it, or it follows from heartbeats"},
    )
    driver = fields.String(allow_none=True)
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)


class Timeline(Paged):
    """What happened to a vehicle, the newest first."""

    items = fields.List(fields.Nested(Happened), required=True)


class Fleet(VehiclePage):
    """A page of vehicles as they were at an instant."""

    at = Instant(required=True)
