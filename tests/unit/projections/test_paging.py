"""Cursors are opaque, and nobody else's are taken for ours."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.paging import decode_cursor, encode_cursor
from vehicle_tracker.errors import Invalid


@given(name=st.text(st.characters(exclude_characters="\0", codec="utf-8")), id_=st.uuids())
def test_a_cursor_brings_back_its_place(name: str, id_: UUID) -> None:
    """Whatever the place is called, the cursor is plain and leads back to it."""
    at = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
    cursor = encode_cursor(name, id_, at)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(cursor, tuple[str, UUID, datetime]) == (name, id_, at)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "å", "\0", "WzFd", encode_cursor("a\0b"), encode_cursor("a", "b"), "WyJcdWQ4MDAiXQ"],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """Broken, of another list, with a NUL or half a character: one stable code."""
    with pytest.raises(Invalid) as refusal:
        decode_cursor(cursor, tuple[str])
    assert refusal.value.code == "invalid_cursor"
    assert "cursor" in refusal.value.members["errors"]


@given(st.text())
def test_no_text_at_all_is_a_defect(cursor: str) -> None:
    """Any text is either a cursor or refused."""
    with suppress(Invalid):
        decode_cursor(cursor, tuple[str, int])
