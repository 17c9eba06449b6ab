"""What the read service answers about trips, as OpenAPI shows it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from read_service.schemas import AsOf, CustomerName, Paged
from vehicle_tracker.schemas import Instant, Vin


class Place(Schema):
    """Degrees, WGS 84."""

    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)


class TripItem(Schema):
    """A trip. What is not known is null; of one that is open it is what is known so far."""

    trip_id = fields.UUID(required=True)
    source = fields.String(
        required=True,
        validate=validate.OneOf(["reported", "derived"]),
        metadata={"description": "told by somebody, or derived from heartbeats"},
    )
    vin = Vin(required=True)
    registration_number = fields.String(required=True)
    customer = fields.Nested(
        CustomerName,
        required=True,
        metadata={"description": "whose the vehicle was when the trip began"},
    )
    driver = fields.String(required=True, allow_none=True)
    started_at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True, metadata={"description": "null while open"})
    duration_s = fields.Float(required=True)
    start = fields.Nested(Place, required=True, allow_none=True)
    end = fields.Nested(Place, required=True, allow_none=True)
    distance_km = fields.Float(required=True, allow_none=True)
    distance_by = fields.String(
        required=True, allow_none=True, validate=validate.OneOf(["odometer", "positions"])
    )
    maximum_speed_kmh = fields.Float(required=True, allow_none=True)
    mean_speed_kmh = fields.Float(
        required=True, allow_none=True, metadata={"description": "distance by duration"}
    )


class Trip(TripItem, AsOf):
    """A trip, and how current that is."""


class TripPage(Paged):
    """A page of trips: those that began last come first."""

    items = fields.List(fields.Nested(TripItem), required=True)


class Geometry(Schema):
    """Where it went."""

    type = fields.String(required=True, validate=validate.OneOf(["LineString", "Point"]))
    coordinates = fields.List(
        fields.Raw(), required=True, metadata={"description": "longitude, latitude"}
    )


class TrackProperties(TripItem):
    """The trip, and when its vehicle was where."""

    times = fields.List(
        Instant(), required=True, metadata={"description": "one for each of the coordinates"}
    )


class Track(AsOf):
    """A trip's track as a GeoJSON Feature."""

    type = fields.String(required=True, validate=validate.Equal("Feature"))
    id = fields.UUID(required=True)
    geometry = fields.Nested(
        Geometry,
        required=True,
        allow_none=True,
        metadata={"description": "null if no place is known"},
    )
    properties = fields.Nested(TrackProperties, required=True)
