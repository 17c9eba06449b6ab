"""What is appended to the event log, and how, while its writers' lock is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from vehicle_tracker.columns import Bigints, Byteas, Uuids
from vehicle_tracker.logged_event import LEAST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Cursor
    from psycopg.sql import Composed

    from vehicle_tracker.recorder import EventLogRecorder


class NewEvent(NamedTuple):
    """A row to append, encoded."""

    stream: UUID
    version: int
    topic: str
    state: bytes


class Appended(NamedTuple):
    """What an append did: the (stream, version) pairs that were new, and the log's head after."""

    new: set[tuple[UUID, int]]
    position: int


def columns_of(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows of (stream, version, topic, state) as the arrays that `unnest` makes rows of again."""
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]


class Writing:
    """What may be done to the log while its writers' lock is held."""

    def __init__(self, recorder: EventLogRecorder, cursor: Cursor[Any]) -> None:
        self._recorder = recorder
        self._cursor = cursor

    def last_decommission(self, after: int) -> int | None:
        """The position of the newest decommissioning after a position, if there is one."""
        statement = self._recorder.select_last_decommission
        return cast("int | None", self._one(statement, after))

    def last_topics(self, streams: Sequence[bytes]) -> dict[bytes, str]:
        """The topic of the newest event of each of the streams that has one: by a UUID's bytes."""
        statement = self._recorder.select_last_topics
        rows = self._cursor.execute(statement, [Uuids(streams)], prepare=True).fetchall()
        return {stream.bytes: topic for stream, topic in rows}

    def insert(self, events: Sequence[NewEvent]) -> Appended:
        """Append, in order, what the log does not hold yet; the rest meets the primary key."""
        self._recorder.notify_channel(self._cursor)
        self._cursor.execute(self._recorder.insert_once, columns_of(events), prepare=True)
        rows = self._cursor.fetchall()
        position = rows[-1][2] if rows else self._one(self._recorder.select_head)
        return Appended({(stream, version) for stream, version, _ in rows}, position)

    def known(self, heartbeats: Sequence[tuple[bytes, int]]) -> set[tuple[bytes, int]]:
        """Those of the (stream, version) pairs that the log holds; a stream is its UUID's bytes."""
        streams, versions = zip(*heartbeats, strict=True)
        statement = self._recorder.select_known
        columns = Uuids(streams), Bigints(versions)
        return set(self._cursor.execute(statement, columns, prepare=True).fetchall())

    def newest_versions(self, streams: Sequence[bytes]) -> dict[bytes, int]:
        """The newest version of each of the streams that has one."""
        statement = self._recorder.select_newest_versions
        return dict(self._cursor.execute(statement, [Uuids(streams)], prepare=True).fetchall())

    def heartbeats_after(self, position: int, most: int) -> tuple[list[tuple[bytes, int]], int]:
        """The (stream, version) pairs of heartbeats appended after a position, at most so many.

        And the newest version that is archived, one statement for both: each commit asks.
        """
        statement = self._recorder.select_heartbeats_after
        rows = self._cursor.execute(statement, (position, most), prepare=True).fetchall()
        [horizon] = [version for stream, version in rows if stream is None]
        appended = [row for row in rows if row[0] is not None]
        return appended, LEAST if horizon is None else horizon

    def append(
        self, topic: str, streams: Sequence[bytes], versions: Sequence[int], states: Sequence[bytes]
    ) -> int:
        """Append events of one topic that the log does not hold, in columns; its head after.

        One statement wakes whoever listens, too: a commit may be of a single heartbeat.

        Errors: `IntegrityError` if it holds one of them; then none is appended.
        """
        columns = topic, Uuids(streams), Bigints(versions), Byteas(states)
        position = self._one(self._recorder.append_new, *columns)
        return cast("int", self._one(self._recorder.select_head) if position is None else position)

    def _one(self, statement: Composed, *parameters: object) -> Any:
        row = self._cursor.execute(statement, parameters, prepare=True).fetchone()
        return row[0] if row else None
