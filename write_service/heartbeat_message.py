"""A heartbeat as a vehicle may send it: msgspec judges, marshmallow finds the words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Annotated, Any, NamedTuple

import msgspec
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from msgspec import Meta

from vehicle_tracker.domain.heartbeat import Heartbeat
from vehicle_tracker.domain.values import VIN_PATTERN
from vehicle_tracker.schemas import Instant, Vin
from vehicle_tracker.web import field_errors, in_words

AHEAD = timedelta(minutes=5)
"""How far a vehicle's clock may be ahead of ours."""

finding_words = RLock()
"""Held by who looks for what is wrong with a heartbeat, which costs a hundred good ones.

One at a time, so that a flood of wrong ones has one thread's share of the processor; and apart from
what is done for good ones, none of which ever waits for it.
"""

_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LARGEST_INTEGER = 2**53  # what every JSON reader keeps exactly

NotNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Word = Annotated[str, Meta(max_length=64, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Line = Annotated[str, Meta(max_length=256, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
Integer = Annotated[int, Meta(ge=-_LARGEST_INTEGER, le=_LARGEST_INTEGER)]


class HeartbeatMessage(Heartbeat, array_like=False, forbid_unknown_fields=True):
    """The same fields as `Heartbeat`, each with its bounds."""

    vin: Annotated[str, Meta(pattern=VIN_PATTERN[:-1] + r"\Z")]
    recorded_at: Annotated[datetime, Meta(tz=True)] | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    speed_kmh: NotNegative | None = None
    heading_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    accuracy_m: NotNegative | None = None
    odometer_km: NotNegative | None = None
    fuel_level: Share | None = None
    battery_level: Share | None = None
    attributes: Annotated[dict[Word, Line | Integer | float | bool], Meta(max_length=32)] | None = (
        None
    )


class Rejection(NamedTuple):
    """Why an item was not stored. `errors` says what was expected of each wrong field."""

    code: str
    detail: str
    errors: dict[str, list[str]]


def reason_to_reject(message: HeartbeatMessage, now: datetime) -> Rejection | None:
    """The rules that concern several fields, or the clock."""
    if (message.latitude is None) != (message.longitude is None):
        missing = "latitude" if message.latitude is None else "longitude"
        return invalid({missing: ["expected together with the other of latitude and longitude"]})
    if message.recorded_at is not None:
        if message.recorded_at > now + AHEAD:
            return Rejection(
                "recorded_in_future",
                f"recorded_at is more than 5 minutes ahead of the server's clock, {now:%H:%M:%SZ}.",
                {"recorded_at": ["expected at most 5 minutes ahead of the server's clock"]},
            )
        if message.recorded_at < _EARLIEST:
            return invalid({"recorded_at": ["expected a time after the year 1 began, in UTC"]})
    return None


def convert(value: Any) -> HeartbeatMessage | Rejection:
    """A decoded JSON value as a heartbeat, or what is wrong with it, field by field."""
    try:
        return msgspec.convert(value, HeartbeatMessage)
    except msgspec.ValidationError as error:
        if not isinstance(value, dict):
            return invalid({"body": ["expected a JSON object"]})
        with finding_words:
            return invalid(_in_words(value) or {"body": [str(error)]})


def invalid(errors: dict[str, list[str]]) -> Rejection:
    """A rejection that names each wrong field."""
    return Rejection("invalid_heartbeat", in_words(errors), errors)


def _in_words(value: dict[str, Any]) -> dict[str, list[str]]:
    try:
        HeartbeatSchema().load(value)
    except ValidationError as error:
        return field_errors(error.messages)
    return {}


class Number(fields.Float):
    """A JSON number within bounds; never a string or a boolean that could pass for one."""

    def __init__(
        self, low: float | None = None, high: float | None = None, *, allow_none: bool = True
    ) -> None:
        if high is not None:
            self.expected = f"expected a number from {low} to {high}"
        elif low is not None:
            self.expected = f"expected a number of at least {low}"
        else:
            self.expected = "expected a number"
        super().__init__(
            allow_none=allow_none,
            validate=validate.Range(low, high, error=self.expected),
            error_messages=dict.fromkeys(("invalid", "too_large", "null"), self.expected),
        )

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError(self.expected)
        return super()._deserialize(value, attr, data, **kwargs)


class Flag(fields.Boolean):
    """true or false; never 1, 0 or a word that could pass for one."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("expected true or false")
        return value


class Attribute(fields.Raw):
    """A string of at most 256 characters, a number or a boolean."""

    expected = "expected a text of at most 256 characters in one line, a number, true or false"

    def __init__(self) -> None:
        super().__init__(
            error_messages={"null": self.expected},
            metadata={"type": ["string", "number", "boolean"]},
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return msgspec.convert(value, Line | Integer | float | bool)
        except msgspec.ValidationError as error:
            raise ValidationError(self.expected) from error


class HeartbeatSchema(Schema):
    """One heartbeat. Only `vin` is required; without `recorded_at` the time of receipt counts."""

    class Meta:
        """A field nobody knows is a mistake that must not go unseen."""

        unknown = RAISE

    error_messages = {"unknown": "there is no such field; put it into attributes"}  # noqa: RUF012

    vin = Vin(required=True)
    recorded_at = Instant(allow_none=True)
    latitude = Number(-90, 90)
    longitude = Number(-180, 180)
    speed_kmh = Number(0)
    heading_deg = Number(0, 360)
    altitude_m = Number()
    accuracy_m = Number(0)
    odometer_km = Number(0)
    fuel_level = Number(0, 1)
    battery_level = Number(0, 1)
    ignition = Flag(allow_none=True)
    attributes = fields.Dict(
        keys=fields.String(
            validate=validate.Regexp(
                r"[^\x00-\x1f\x7f]{1,64}\Z", error="expected 1 to 64 characters"
            )
        ),
        values=Attribute(),
        allow_none=True,
        validate=validate.Length(max=32, error="expected at most {max} attributes"),
        metadata={"maxProperties": 32},
    )


class BareHeartbeatSchema(HeartbeatSchema):
    """One heartbeat of the vehicle in the path. An empty body says only: here I am, now."""

    class Meta:
        """The path says whose heartbeat it is."""

        exclude = ("vin",)
