"""Fields that both services speak."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from marshmallow import Schema, ValidationError

from vehicle_tracker.schemas import Instant, Text, rfc3339


class _Form(Schema):
    text = Text(longest=5)
    at = Instant()


@pytest.mark.parametrize("text", ["Åsa", " AB 1 ", "O'Hé", "日本", "A&B+C"])
def test_text_is_what_people_write(text: str) -> None:
    """Letters of any script, marks, digits and punctuation pass, trimmed."""
    assert _Form().load({"text": text})["text"] == text.strip()


@pytest.mark.parametrize(
    "text", ["", "   ", "sixsix", "a\x00b", "a\nb", "🚚", "\ud800", "\u202e", 5]
)
def test_text_is_one_plain_line(text: object) -> None:
    """Controls, pictures, half surrogates, what turns the line around, and nothing: all refused."""
    with pytest.raises(ValidationError):
        _Form().load({"text": text})


@pytest.mark.parametrize(
    "at", ["2026-01-01", "2026-01-01T00:00:00", "x", 1, None, "2026-13-01T00:00:00Z"]
)
def test_an_instant_needs_its_offset(at: object) -> None:
    """A time without an offset could be any of 38 times: refused, as is what is no time."""
    with pytest.raises(ValidationError):
        _Form().load({"at": at})


def test_instants_are_written_in_utc() -> None:
    """Whatever its offset, an instant is answered in UTC with `Z`, microseconds kept."""
    at = datetime(2026, 1, 1, 1, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert _Form().dump({"at": at})["at"] == "2026-01-01T00:00:00.000005Z"
    assert rfc3339(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("0216-02-03T18:04:43-18:34", "0216-02-04T12:38:43Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_instants_are_taken_in_utc(written: str, taken: str) -> None:
    """Whatever its offset; what has no name in UTC is taken for the first instant, or the last."""
    at = _Form().load({"at": written})["at"]
    assert (at.tzinfo, rfc3339(at)) == (UTC, taken)
