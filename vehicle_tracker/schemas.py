"""Fields and schemas that both services speak."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from vehicle_tracker.domain.values import VIN_PATTERN, is_vin

FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


class Instant(fields.AwareDateTime):
    """RFC 3339 with an offset; taken and answered in UTC, with `Z`, microseconds kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            format="iso",
            error_messages={
                "invalid": "expected a time such as 2026-01-31T12:00:00Z",
                "invalid_awareness": "expected an offset such as Z or +01:00 after the time",
            },
            **kwargs,
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        instant: datetime = super()._deserialize(value, *args, **kwargs)
        try:
            return instant.astimezone(UTC)
        except OverflowError:  # in UTC its year has no name: the first or last instant is near
            return FIRST_INSTANT if instant.year == 1 else LAST_INSTANT

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else rfc3339(value)


class Vin(fields.String):
    """17 characters A-Z and 0-9 without I, O and Q."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": VIN_PATTERN, "example": "YS2R4X20005399401"}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        vin = str(super()._deserialize(value, *args, **kwargs))
        if not is_vin(vin):
            raise ValidationError("expected a VIN: 17 characters A-Z and 0-9 without I, O and Q")
        return vin


class Text(fields.String):
    """One line of letters, marks, digits, punctuation and spaces; trimmed, never empty."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(
            validate=validate.Length(
                min=1, max=longest, error="expected {min} to {max} characters"
            ),
            **kwargs,
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, *args, **kwargs)).strip()
        for character in text:
            if not _is_plain(character):
                raise ValidationError(
                    "expected letters, digits, punctuation and spaces,"
                    f" not the character U+{ord(character):04X}"
                )
        return text


def _is_plain(character: str) -> bool:
    """Pictures, controls, surrogates and unassigned code points are not text."""
    category = unicodedata.category(character)
    return category[0] in "LMNP" or category in ("Zs", "Sm", "Sc") or character in "°©®™^`~"


class Problem(Schema):
    """A problem document, RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "stable: programs rely on it"})
    detail = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "what was expected of each field that is wrong"},
    )


def rfc3339(instant: datetime) -> str:
    """The instant in UTC, as the API writes it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
