"""What the feed answers, as OpenAPI shows it."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields, validate

from read_service.live.changes import HEARTBEAT
from read_service.past.happened import TYPES
from read_service.schemas import AsOf
from vehicle_tracker.schemas import Instant, Vin

_CURSOR = {"description": "opaque, of this log, and good for ever"}


class ChangeItem(Schema):
    """What happened to a vehicle: besides this, the particulars of its type."""

    class Meta:
        """The particulars are those of the timeline, and a heartbeat's are its measurements."""

        unknown = INCLUDE

    cursor = fields.String(required=True, metadata=_CURSOR)
    position = fields.Integer(required=True)
    type = fields.String(required=True, validate=validate.OneOf((*TYPES, HEARTBEAT)))
    vin = Vin(required=True)
    at = Instant(required=True, metadata={"description": "the instant that it speaks of"})


class ChangePage(AsOf):
    """A page of the log, as it is told."""

    items = fields.List(fields.Nested(ChangeItem), required=True)
    end_cursor = fields.String(
        required=True,
        metadata={"description": "where this page ends, also if nothing on it was asked for"},
    )
    has_next_page = fields.Boolean(required=True, metadata={"description": "more is there already"})
