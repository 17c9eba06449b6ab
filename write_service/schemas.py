"""What the write service takes and answers; heartbeats are in `heartbeat_message`."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from vehicle_tracker.schemas import Problem, Text, Vin
from write_service.heartbeat_message import Number


class Strict(Schema):
    """A field nobody knows is a mistake that must not go unseen."""

    class Meta:
        """Of marshmallow."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 # as marshmallow has it
        "unknown": "there is no such field",
        "type": "expected a JSON object",
    }


class TripRules(Strict):
    """What tells the trips of a customer's vehicles; what is left out is the default."""

    stop_after_s = Number(60, 86_400, allow_none=False)
    moving_above_kmh = Number(0.5, 50, allow_none=False)
    shortest_km = Number(0, 100, allow_none=False)


def _trip_rules() -> fields.Nested:
    says = "how trips are told from its vehicles' heartbeats; null: as for any customer"
    return fields.Nested(TripRules, allow_none=True, metadata={"description": says})


def _address() -> Text:
    return Text(longest=200, metadata={"example": "Cementvägen 8, 111 11 Södertälje"})


def _name() -> Text:
    return Text(longest=120, required=True, metadata={"example": "Kalles Grustransporter AB"})


def _registration_number(*, required: bool = True) -> Text:
    return Text(longest=16, required=required, metadata={"example": "ABC123"})


def _labels() -> fields.Dict:
    return fields.Dict(
        keys=Text(longest=64),
        values=Text(longest=256),
        validate=validate.Length(max=32, error="expected at most {max} labels"),
        metadata={"maxProperties": 32, "example": {"depot": "Södertälje"}},
    )


LONGEST_LIMIT_S = 2_592_000
"""Thirty days."""


class DisconnectAfter(fields.Integer):
    """So many seconds may pass in silence; null: as many as without it."""

    def __init__(self) -> None:
        super().__init__(
            allow_none=True,
            metadata={
                "minimum": 1,
                "maximum": LONGEST_LIMIT_S,
                "example": 300,
                "description": "seconds of silence after which a vehicle is disconnected: its own"
                " limit, else its customer's, else the tracker's; null takes a limit away",
            },
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if type(value) is not int or not 1 <= value <= LONGEST_LIMIT_S:
            raise ValidationError(f"expected whole seconds, 1 to {LONGEST_LIMIT_S}, or null")
        return value


class NewCustomer(Strict):
    """A customer to register."""

    name = _name()
    address = Text(longest=200, required=True)
    disconnect_after_s = DisconnectAfter()
    trip_rules = _trip_rules()


class CustomerChanges(Strict):
    """What is to be different about a customer."""

    name = Text(longest=120)
    address = _address()
    disconnect_after_s = DisconnectAfter()
    trip_rules = _trip_rules()

    @validates_schema
    def something_changes(self, data: dict[str, object], **_: object) -> None:
        """An empty change is a mistake."""
        if not data:
            raise ValidationError(
                "expected at least one of name, address, disconnect_after_s and trip_rules"
            )


class NewVehicle(Strict):
    """A vehicle to register."""

    vin = Vin(required=True)
    registration_number = _registration_number()
    customer_id = fields.UUID(required=True)
    labels = _labels()
    disconnect_after_s = DisconnectAfter()


class VehicleChanges(Strict):
    """What is to be different about a vehicle."""

    registration_number = _registration_number(required=False)
    customer_id = fields.UUID()
    labels = _labels()
    disconnect_after_s = DisconnectAfter()

    @validates_schema
    def something_changes(self, data: dict[str, object], **_: object) -> None:
        """An empty change is a mistake."""
        if not data:
            raise ValidationError(
                "expected at least one of registration_number, customer_id, labels and"
                " disconnect_after_s"
            )


class ImportRow(Strict):
    """A line of an imported fleet."""

    vin = Vin(required=True)
    registration_number = _registration_number()
    customer = _name()
    address = Text(longest=200, required=True)


class Written(Schema):
    """The position in the event log at which a write is visible."""

    position = fields.Integer(required=True, metadata={"minimum": 0})


class CustomerWritten(Written):
    """A customer was registered or changed."""

    customer_id = fields.UUID(required=True)


class VehicleWritten(Written):
    """A vehicle was registered, changed or decommissioned."""

    vin = Vin(required=True)


class RejectedItem(Schema):
    """An item of a batch that was not stored."""

    index = fields.Integer(required=True, metadata={"description": "its place, from 0"})
    code = fields.String(required=True)
    detail = fields.String(required=True)


class HeartbeatsRecorded(Written):
    """The accepted heartbeats are committed to the event log."""

    accepted = fields.Integer(required=True)
    duplicates = fields.Integer(required=True, metadata={"description": "known already"})
    rejected = fields.List(fields.Nested(RejectedItem), required=True)


class BatchRejected(Problem):
    """Nothing of the batch was stored."""

    rejected = fields.List(fields.Nested(RejectedItem))


class RejectedLine(Schema):
    """A line of an import that was not registered."""

    line = fields.Integer(required=True, metadata={"description": "its number in the file, from 1"})
    code = fields.String(required=True)
    detail = fields.String(required=True)


class Imported(Written):
    """What became of an imported fleet."""

    registered = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(RejectedLine), required=True)
