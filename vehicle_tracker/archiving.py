"""Old heartbeats leave the log for the archive, and nothing that is asked of it changes.

A part of the log is copied: into a file, which is made durable, and by stream, both known by one
commit. Only then are its heartbeats deleted. Whoever reads meanwhile finds them in the log, in the
archive, or in both, and takes each once. Killed at any moment, it goes on when started again.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import psycopg
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Literal

from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.logged_event import LoggedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from psycopg import Cursor

    from vehicle_tracker.event_log import EventLog

AT_ONCE = 1_000_000
"""Heartbeats: so many are sorted and deleted in one step."""

_BLOCK = 20_000
"""Heartbeats: some 3 MB unpacked, half a MB packed."""

_NEVER = datetime.max.replace(tzinfo=UTC)
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('archiving', 0))"
_BETWEEN = SQL("topic = {} AND notification_id > %s AND notification_id <= %s").format(
    Literal(HeartbeatRecorded.TOPIC)
)
_NEXT = SQL(
    "SELECT notification_id, state FROM {table} WHERE {between} ORDER BY notification_id LIMIT 1"
)
_PART = SQL(
    "SELECT count(*), max(notification_id), max(originator_version) FROM ("
    "SELECT notification_id, originator_version FROM {table} WHERE {between}"
    " ORDER BY notification_id LIMIT %s) AS part"
)
_COPY_BY_STREAM = SQL(
    "INSERT INTO {archived} SELECT originator_id, originator_version / {period}, %s,"
    " array_agg(originator_version ORDER BY originator_version),"
    " array_agg(notification_id ORDER BY originator_version),"
    " array_agg(state ORDER BY originator_version)"
    " FROM {table} WHERE {between} GROUP BY 1, 2"
)
_BY_POSITION = SQL(
    "SELECT notification_id, originator_id, originator_version, topic, state"
    " FROM {table} WHERE {between} ORDER BY notification_id LIMIT %s"
)
_ADD_BLOCK = SQL("INSERT INTO {blocks} SELECT %s, %s, %s, %s, greatest(%s, {horizon})")
_DELETE = SQL("DELETE FROM {table} WHERE {between}")
_VACUUM = SQL("VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) {table}")
_SIZES = SQL(
    "SELECT coalesce(sum(length), 0)::bigint, pg_total_relation_size({of_archived})"
    " + pg_total_relation_size({of_blocks}) FROM {blocks}"
)
_ARCHIVED_UNTIL = SQL("SELECT {archived_until}")


class ArchivingBusyError(Exception):
    """Another process is archiving the same log."""


class Part(NamedTuple):
    """Heartbeats that are archived at once: those after a position, up to another."""

    heartbeats: int
    after: int
    until: int
    newest_version: int


class Archived(NamedTuple):
    """What was archived: how many heartbeats, and bytes that they take now, by position and stream.

    What they took in the log is free for new ones.
    """

    heartbeats: int
    in_files: int
    in_tables: int


class Archiving:
    """Moves heartbeats of a log into its archive, on a connection of its own."""

    def __init__(
        self,
        log: EventLog,
        connection: psycopg.Connection[Any],
        at_once: int = AT_ONCE,
        block: int = _BLOCK,
    ) -> None:
        self._log = log
        self._connection = connection
        self._cursor = connection.cursor(row_factory=tuple_row, binary=True)
        self._at_once = at_once
        self._block = block

    def run(self, before: datetime, told: Callable[[int, int], None], stop: Event) -> Archived:
        """Archive the heartbeats that were received before an instant, part by part, until stopped.

        `told` hears after each part of the position reached, and of the last one to be reached.

        Errors: `OSError` if the file cannot be written; then nothing is lost.
        """
        heartbeats, (in_files, in_tables) = 0, self._sizes()
        self._delete(0, self._archived_until())  # what one that was killed has left
        end = self._end(before)
        while not stop.is_set() and (part := self._next(end)):
            self._copy(part)
            with self._log.writing():
                pass  # whoever writes from here on looks into the archive for what is deleted now
            self._delete(part.after, part.until)
            heartbeats += part.heartbeats
            told(part.until, end)
        self._execute(_VACUUM)
        files, tables = self._sizes()
        return Archived(heartbeats, files - in_files, tables - in_tables)

    def _end(self, before: datetime) -> int:
        """The last position up to which all heartbeats were received before an instant.

        The newest event stays in any case, for the log's head is its position.
        """
        head = self._log.head()
        positions = range(self._archived_until(), head - 1)

        def next_received_at(position: int) -> datetime:
            for found, state in self._fetch(_NEXT, position, head):
                try:
                    return heartbeat.decode(state).received_at
                except msgspec.MsgspecError:
                    return next_received_at(found)
            return _NEVER

        return positions.start + bisect_left(positions, before, key=next_received_at)

    def _next(self, end: int) -> Part | None:
        after = self._archived_until()
        [(count, until, newest_version)] = self._fetch(_PART, after, end, self._at_once)
        return Part(count, after, until, newest_version) if count else None

    def _copy(self, part: Part) -> None:
        name = f"heartbeats-{part.after + 1:016}-{part.until:016}.zst"
        with self._connection.transaction():
            self._execute(_COPY_BY_STREAM, part.until, part.after, part.until)
            for block in self._log.rows.archive_files.write(name, self._blocks(part)):
                self._execute(_ADD_BLOCK, *block, part.newest_version)

    def _blocks(self, part: Part) -> Iterator[Sequence[LoggedEvent]]:
        after = part.after
        while rows := self._fetch(_BY_POSITION, after, part.until, self._block):
            yield list(map(LoggedEvent._make, rows))
            after = rows[-1][0]

    def _delete(self, after: int, until: int) -> None:
        self._execute(_DELETE, after, until)

    def _archived_until(self) -> int:
        [(position,)] = self._fetch(_ARCHIVED_UNTIL)
        return int(position)

    def _sizes(self) -> tuple[int, int]:
        [(in_files, in_tables)] = self._fetch(_SIZES)
        return int(in_files), int(in_tables)

    def _fetch(self, statement: SQL, *parameters: object) -> list[tuple[Any, ...]]:
        return self._execute(statement, *parameters).fetchall()

    def _execute(self, statement: SQL, *parameters: object) -> Cursor[tuple[Any, ...]]:
        names = self._log.rows.names
        whole = statement.format(
            between=_BETWEEN,
            of_archived=Literal(names["archived"].as_string()),
            of_blocks=Literal(names["blocks"].as_string()),
            **names,
        )
        return self._cursor.execute(whole, parameters)


@contextmanager
def alone_archiving(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a log's database that nobody else archives on. Errors: `ArchivingBusyError`.

    Two at once would write the same part, and one of them would fail.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(_LOCK).fetchone() != (True,):
            raise ArchivingBusyError("the log is being archived already")
        yield connection
