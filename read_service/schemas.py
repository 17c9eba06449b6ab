"""What the read service answers, as OpenAPI shows it.

The answers are written by `items`, which is faster; a test holds them against these schemas.
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from projections.customer_vehicles.model import STATUSES
from projections.vehicle_search.model import MOST_CUSTOMERS
from vehicle_tracker.schemas import Instant, Vin


class AsOf(Schema):
    """How current an answer is."""

    position = fields.Integer(
        required=True, metadata={"description": "the position of the log that this shows"}
    )
    as_of = Instant(
        required=True,
        metadata={
            "description": "what reached the tracker by then is in this; statuses are as of then."
            " It is now while the read model keeps up"
        },
    )
    answered_at = Instant(required=True, metadata={"description": "the server's clock"})


class Paged(AsOf):
    """A page of a list."""

    next_cursor = fields.String(required=True, allow_none=True)


class StatusCounts(Schema):
    """How many vehicles are in which status."""

    connected = fields.Integer(required=True)
    disconnected = fields.Integer(required=True)
    never_seen = fields.Integer(required=True)


class CustomerName(Schema):
    """Whose it is."""

    customer_id = fields.UUID(required=True)
    name = fields.String(required=True, metadata={"example": "Kalles Grustransporter AB"})


class Measurements(Schema):
    """What a heartbeat said. Null was not said."""

    latitude = fields.Float(required=True, allow_none=True, metadata={"description": "WGS 84"})
    longitude = fields.Float(required=True, allow_none=True)
    speed_kmh = fields.Float(required=True, allow_none=True)
    heading_deg = fields.Float(required=True, allow_none=True)
    altitude_m = fields.Float(required=True, allow_none=True)
    accuracy_m = fields.Float(required=True, allow_none=True)
    odometer_km = fields.Float(required=True, allow_none=True)
    fuel_level = fields.Float(required=True, allow_none=True, metadata={"description": "0 to 1"})
    battery_level = fields.Float(required=True, allow_none=True, metadata={"description": "0 to 1"})
    ignition = fields.Boolean(required=True, allow_none=True)
    attributes = fields.Dict(keys=fields.String(), required=True, allow_none=True)


class VehicleItem(Measurements):
    """A vehicle: the newest heartbeat's measurements, and the last known place."""

    vin = Vin(required=True)
    registration_number = fields.String(required=True, metadata={"example": "ABC123"})
    customer = fields.Nested(CustomerName, required=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    status_since = Instant(
        required=True,
        allow_none=True,
        metadata={
            "description": "connected: when the heartbeats began that are still going on, late ones"
            " counted; disconnected: when the limit had passed; never seen: `registered_at`. Null"
            " is not known: a connection is a second old, or is told of by too much to remember"
        },
    )
    registered_at = Instant(required=True)
    last_heartbeat_at = Instant(required=True, allow_none=True)
    position_recorded_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "when it said `latitude` and `longitude`"},
    )


class Vehicle(VehicleItem, AsOf):
    """A vehicle, with the numbers behind its status."""

    heartbeat_interval_s = fields.Integer(required=True)
    disconnect_after_s = fields.Integer(
        required=True,
        metadata={
            "description": "silent for longer it is disconnected: its own limit, else its"
            " customer's, else the tracker's"
        },
    )


class CustomerCount(CustomerName):
    """How many of the vehicles found are a customer's."""

    count = fields.Integer(required=True)


class Facets(Schema):
    """What another choice of status or customer would show."""

    status = fields.Nested(
        StatusCounts,
        required=True,
        metadata={"description": "counted under every filter but `status`"},
    )
    customers = fields.List(
        fields.Nested(CustomerCount),
        required=True,
        metadata={
            "description": "counted under every filter but `customer_id`; by name; the"
            f" {MOST_CUSTOMERS} with the most vehicles"
        },
    )


class VehiclePage(Paged):
    """A page of vehicles."""

    items = fields.List(fields.Nested(VehicleItem), required=True)
    total = fields.Integer(required=True, metadata={"description": "counted under all filters"})
    facets = fields.Nested(Facets, required=True)


class CustomerItem(CustomerName):
    """A customer, with its vehicles counted."""

    address = fields.String(required=True)
    registered_at = Instant(required=True)
    disconnect_after_s = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "of its vehicles without a limit of their own; null: as of any"},
    )
    vehicles = fields.Integer(required=True)
    status = fields.Nested(StatusCounts, required=True)


class Customer(CustomerItem, AsOf):
    """A customer, and how current that is."""


class CustomerPage(Paged):
    """A page of customers, by name."""

    items = fields.List(fields.Nested(CustomerItem), required=True)
    total = fields.Integer(required=True)


class HeartbeatItem(Measurements):
    """A heartbeat as it is in the event log."""

    recorded_at = Instant(required=True)
    received_at = Instant(required=True)


class HeartbeatPage(Paged):
    """Heartbeats by `recorded_at`, the oldest first."""

    items = fields.List(fields.Nested(HeartbeatItem), required=True)


class ProjectionItem(Schema):
    """How far a read model is."""

    name = fields.String(required=True, metadata={"example": "customer_vehicles"})
    position = fields.Integer(required=True)
    head = fields.Integer(required=True, metadata={"description": "the newest event's position"})
    lag_events = fields.Integer(
        required=True, metadata={"description": "positions it is behind; duplicates take one too"}
    )
    lag_seconds = fields.Float(
        required=True,
        metadata={"description": "how long the oldest event that is not in it has waited"},
    )
    state = fields.String(
        required=True,
        validate=validate.OneOf(["live", "catching_up", "stalled", "ahead_of_log"]),
    )
    parked = fields.Integer(
        required=True, metadata={"description": "events that could not be folded"}
    )
    updated_at = Instant(required=True, allow_none=True)


class Projections(AsOf):
    """All read models."""

    items = fields.List(fields.Nested(ProjectionItem), required=True)


class DemoCustomer(Schema):
    """A customer in the demo's words."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    address = fields.String(required=True)


class DemoVehicle(Schema):
    """A vehicle in the demo's words."""

    id = Vin(required=True)
    reg_no = fields.String(required=True)
    heartbeat_ts = Instant(required=True, allow_none=True)
    online = fields.Boolean(required=True)
    customer = fields.Nested(DemoCustomer, required=True)


class Pong(Schema):
    """It is there."""

    message = fields.String(required=True, metadata={"example": "pong"})
