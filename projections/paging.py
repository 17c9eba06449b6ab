"""Cursors: where a page ended, opaque to who carries it to the next."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

import msgspec

from vehicle_tracker.errors import Invalid


def encode_cursor(*place: object) -> str:
    """A text that `decode_cursor` turns back into the same values."""
    return urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def decode_cursor(cursor: str, place: Any) -> Any:
    """The values of a cursor, if they are a tuple of the type `place`.

    Errors: `Invalid` with the code `invalid_cursor` for what is no cursor of this list.
    """
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = msgspec.json.decode(text, type=place)
        if b"\\u0000" in text:
            raise ValueError("a NUL is in no name")  # noqa: TRY301 # one answer for all of them
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise invalid_cursor() from error
    return values


def instant_in(text: str) -> datetime:
    """An instant that a cursor's place has as a text. Errors: `invalid_cursor`."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid_cursor() from error
    if instant.tzinfo is None:
        raise invalid_cursor()
    return instant


def invalid_cursor() -> Invalid:
    """What a client hears of a cursor that is not one, or is one of another list."""
    expected = "expected the next_cursor of a page of the same list in the same order"
    return Invalid(
        "invalid_cursor", "This is no cursor of this list.", errors={"cursor": [expected]}
    )
