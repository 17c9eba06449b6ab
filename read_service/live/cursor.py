"""Cursors of the feed: which log, and how far in it. They hold for ever, for the log does."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from projections.paging import decode_cursor, encode_cursor
from vehicle_tracker.errors import Invalid

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog


class LogCursors:
    """Positions of one log as texts that another log does not take for its own."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._name = ""

    def encode(self, position: int) -> str:
        """A cursor after the event at this position; 0 is before the first, in any log."""
        return encode_cursor(self._name_of_log() if position else "", position)

    def decode(self, cursor: str | None, field: str) -> int:
        """The position that a cursor names; without one, the log's beginning.

        Errors: `Invalid` with the code `invalid_cursor`, which names the field: it is no cursor, or
        it is one of another log, or this log is not as far.
        """
        if cursor is None:
            return 0
        try:
            name, position = decode_cursor(cursor, tuple[str, int])
        except Invalid as error:
            raise _invalid(field, "expected a cursor of this feed, as it was answered") from error
        if position == 0:
            return 0
        if name != self._name_of_log():
            raise _invalid(field, "expected a cursor of this event log; this is one of another")
        head = self._log.head()
        if not 0 < position <= head:
            raise _invalid(field, f"expected a cursor at or before the log's head, {head}")
        return int(position)

    def _name_of_log(self) -> str:
        """By its first event, which never changes. An empty log has no name, and no positions."""
        if not self._name and (first := self._log.read(0, 1)):
            row = first[0]
            text = f"{row.position} {row.stream} {row.version}".encode()
            self._name = blake2b(text, digest_size=6).hexdigest()
        return self._name


def _invalid(field: str, expected: str) -> Invalid:
    detail = f"{field} is no cursor of this log."
    return Invalid("invalid_cursor", detail, errors={field: [expected]})
