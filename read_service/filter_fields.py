"""Fields of queries that are more than a word: durations, rectangles, circles, labels."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields

from projections.vehicle_search.model import Box, Circle

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SILENCE = timedelta(days=36_525)
FARTHEST_KM = 20_040.0
"""Half around the earth: nothing is farther away."""

MOST_LABELS = 32
LABEL = "label."
_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,9}(?:[.,]\d{1,6})?)S)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?", re.ASCII)


class _Text(fields.Field[Any]):
    """A value that is written as a text, of which OpenAPI shows an example."""

    def __init__(self, description: str, example: str, pattern: str) -> None:
        metadata = {"type": "string", "description": description, "pattern": pattern}
        super().__init__(load_default=None, metadata={**metadata, "example": example})


class Duration(_Text):
    """ISO 8601 without years and months, which are not of one length."""

    def __init__(self, description: str) -> None:
        super().__init__(description, "PT1H30M", f"^{_without_names(_DURATION)}$")

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> timedelta:
        found = _DURATION.fullmatch(str(value))
        if not found:
            raise ValidationError("expected a duration such as PT30M, PT1H30M or P2D")
        parts = {k: float(v.replace(",", ".")) for k, v in found.groupdict().items() if v}
        duration = timedelta(**parts)
        if duration > LONGEST_SILENCE:
            raise ValidationError(f"expected at most {LONGEST_SILENCE.days} days")
        return duration


class BoxField(_Text):
    """A rectangle in degrees."""

    def __init__(self) -> None:
        super().__init__(
            "`west,south,east,north` in degrees; with west > east across the antimeridian",
            "17.5,59.1,18.3,59.5",
            _numbers_pattern(4),
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Box:
        west, south, east, north = _numbers(value, "west,south,east,north")
        _expect_place(south, west)
        _expect_place(north, east)
        if south > north:
            raise ValidationError("expected a south that is not north of north")
        return Box(west, south, east, north)


class CircleField(_Text):
    """A circle on the earth."""

    def __init__(self) -> None:
        super().__init__(
            "`lat,lon,km`: at most so many kilometres from a place",
            "59.33,18.07,25",
            _numbers_pattern(3),
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Circle:
        latitude, longitude, km = _numbers(value, "lat,lon,km")
        _expect_place(latitude, longitude)
        if not 0 < km <= FARTHEST_KM:
            raise ValidationError(f"expected more than 0 and at most {FARTHEST_KM:g} km")
        return Circle(latitude, longitude, km)


class Labels(fields.Field[Any]):
    """All of the parameters whose names begin with `label.`, gathered."""

    def __init__(self) -> None:
        super().__init__(
            load_default=(),
            metadata={
                "type": "object",
                "description": "`label.KEY=VALUE`: vehicles with this label, just as it is"
                f" written; at most {MOST_LABELS}",
                "patternProperties": {"^label\\.[^\\x00-\\x1f]+$": {"type": "string"}},
                "additionalProperties": False,
                "example": {"label.depot": "Umeå"},
            },
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Sequence[tuple[str, str]]:
        if not isinstance(value, tuple):
            raise ValidationError("expected parameters such as label.depot=Umeå")
        if len(value) > MOST_LABELS:
            raise ValidationError(f"expected at most {MOST_LABELS} labels")
        for key, text in value:
            if not key or any(ord(c) < ord(" ") for c in key + text):
                raise ValidationError("expected a key after the dot, and no control characters")
            if any(0xD800 <= ord(c) < 0xE000 for c in key + text):  # noqa: PLR2004 # surrogates
                raise ValidationError("expected text")
        return value


def _numbers(value: Any, names: str) -> list[float]:
    parts = str(value).split(",")
    if len(parts) != names.count(",") + 1 or not all(_NUMBER.fullmatch(p) for p in parts):
        raise ValidationError(f"expected numbers: {names}")
    return [float(part) for part in parts]


def _expect_place(latitude: float, longitude: float) -> None:
    if math.fabs(latitude) > 90 or math.fabs(longitude) > 180:  # noqa: PLR2004 # degrees
        raise ValidationError("expected degrees: latitudes to 90, longitudes to 180")


def _numbers_pattern(count: int) -> str:
    return f"^{','.join([_NUMBER.pattern] * count)}$"


def _without_names(pattern: re.Pattern[str]) -> str:
    """The pattern as JSON Schema reads it, too."""
    return re.sub(r"\?P<\w+>", "", pattern.pattern)
