"""Where events are kept: one table in PostgreSQL in which commit order is read order.

It is the library's `PostgresApplicationRecorder` with four things of ours: an advisory lock in
place of its table lock, an insert that leaves out what is there already, lean reading, and an
archive: old heartbeats are found as if they were still in the table.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, LiteralString, cast

from eventsourcing.persistence import InterfaceError, OperationalError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from eventsourcing.utils import retry
from psycopg.errors import QueryCanceled
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from vehicle_tracker.archive_files import ArchiveFiles
from vehicle_tracker.archive_tables import ArchiveTables, Block
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.errors import too_much_to_read
from vehicle_tracker.logged_event import MOST, LoggedEvent
from vehicle_tracker.spans import BACKWARDS, FORWARDS, select_spans
from vehicle_tracker.writing import Writing, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from eventsourcing.postgres import PostgresDatastore
    from psycopg import Connection, Cursor

_LOGGED_EVENTS: LiteralString = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM {table}"
)
_LIMIT = SQL("SELECT set_config('statement_timeout', %s, true), set_config('jit', 'off', true)")


class EventLogRecorder(PostgresApplicationRecorder):
    """The library's recorder, whose writers queue on an advisory lock of their own.

    `LOCK TABLE … EXCLUSIVE` gives the same order, but queues behind a freeze vacuum and cancels
    ordinary autovacuum.
    """

    def __init__(
        self, datastore: PostgresDatastore, *, events_table_name: str = "stored_events"
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        archive = ArchiveTables(datastore.schema, events_table_name)
        self.names = archive.names
        """What statements about this log may name."""
        self.archive_files = ArchiveFiles("")
        self.lock_name = f"{datastore.schema}.{events_table_name}"
        self.lock_table_statements = [
            SQL("SET LOCAL lock_timeout = {}").format(Literal(f"{datastore.lock_timeout}s")),
            SQL("SELECT pg_advisory_xact_lock(hashtextextended({}, 0))").format(
                Literal(self.lock_name)
            ),
        ]
        self.sql_create_statements += [
            self._sql(
                "CREATE INDEX IF NOT EXISTS {index} ON {table} (notification_id)"
                " WHERE topic = {decommissioned}",
                index=Identifier(f"{events_table_name}_decommissioned_idx"),
            ),
            *archive.create,
        ]
        self.select_last_decommission = self._sql(
            "SELECT max(notification_id) FROM {table}"
            " WHERE topic = {decommissioned} AND notification_id > %s"
        )
        self.insert_all = self._sql(
            "INSERT INTO {table} (originator_id, originator_version, topic, state)"
            " SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])"
            " RETURNING notification_id"
        )
        self.insert_once = self._sql(
            "INSERT INTO {table} (originator_id, originator_version, topic, state)"
            " SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])"
            " AS given(stream, version, topic, state) WHERE {not_archived}"
            " ON CONFLICT (originator_id, originator_version) DO NOTHING"
            " RETURNING originator_id, originator_version, notification_id"
        )
        self.append_new = self._sql(
            "WITH appended AS (INSERT INTO {table}"
            " (originator_id, originator_version, topic, state)"
            " SELECT stream, version, %b::text, state"
            " FROM unnest(%b::uuid[], %b::bigint[], %b::bytea[]) AS given(stream, version, state)"
            " RETURNING notification_id)"
            " SELECT max(notification_id), pg_notify({channel}, '') FROM appended"
        )
        self.select_known = self._sql(
            "SELECT uuid_send(stream), version"
            " FROM unnest(%b::uuid[], %b::bigint[]) AS given(stream, version)"
            " WHERE EXISTS (SELECT FROM {table}"
            " WHERE originator_id = stream AND originator_version = version)"
            " OR NOT {not_archived}"
        )
        self.select_newest_versions = self._sql(
            "SELECT uuid_send(stream), newest FROM unnest(%b::uuid[]) AS given(stream)"
            " CROSS JOIN LATERAL (SELECT originator_version AS newest FROM {table}"
            " WHERE originator_id = stream ORDER BY originator_version DESC LIMIT 1) AS event"
        )
        self.select_heartbeats_after = self._sql(
            "SELECT NULL::bytea, {horizon} UNION ALL"
            " (SELECT uuid_send(originator_id), originator_version FROM {table}"
            " WHERE notification_id > %b AND topic = {heartbeat}"
            " ORDER BY notification_id LIMIT %b)"
        )
        self.select_head = self._sql("SELECT coalesce(max(notification_id), 0) FROM {table}")
        self.select_page = self._sql(
            _LOGGED_EVENTS + " WHERE notification_id > %s AND {archived_until} <= %s"
            " ORDER BY notification_id LIMIT %s"
        )
        self.select_next_besides = self._sql(
            _LOGGED_EVENTS + " WHERE notification_id > %b AND {archived_until} <= %b"
            " AND topic <> ALL(%b::text[]) ORDER BY notification_id LIMIT 1"
        )
        self.select_block = self._sql(
            "SELECT last_position, file, start, length FROM {blocks} WHERE last_position > %b"
            " ORDER BY last_position LIMIT 1"
        )
        self.select_beside_block = self._sql(
            _LOGGED_EVENTS + " WHERE notification_id > %b AND notification_id <= %b"
            " AND topic <> {heartbeat} ORDER BY notification_id LIMIT %b"
        )
        self.select_spans = select_spans(self.names, FORWARDS)
        self.select_spans_backwards = select_spans(self.names, BACKWARDS)
        self.select_last_topics = self._sql(
            "SELECT DISTINCT ON (originator_id) originator_id, topic FROM {table}"
            " WHERE originator_id = ANY(%b::uuid[])"
            " ORDER BY originator_id, originator_version DESC"
        )
        self.select_whole_streams = self._sql(
            "SELECT originator_id, originator_version, topic, state FROM {table}"
            " WHERE originator_id = ANY(%b::uuid[]) ORDER BY originator_id, originator_version"
        )

    def create_table(self) -> None:
        """Create what is missing. Processes that start together take turns."""
        turn = (f"{self.lock_name} is being created",)
        with self.datastore.get_connection() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", turn)
            try:
                self._leave_out_types_there_already(connection)
                super().create_table()
            finally:
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", turn)

    def _leave_out_types_there_already(self, connection: Connection[Any]) -> None:
        """The library creates its type and ignores that it is there; PostgreSQL logs the error."""
        type_name = Identifier(self.datastore.schema, self.stored_event_type_name).as_string()
        row = connection.execute("SELECT to_regtype(%s) AS oid", (type_name,)).fetchone()
        if row and row["oid"]:
            self.sql_create_statements = [
                one for one in self.sql_create_statements if "CREATE TYPE" not in one.as_string()
            ]

    @retry((InterfaceError, OperationalError), max_attempts=3, wait=0.2)
    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        """Append all of the events or, if one is there already, raise `IntegrityError`.

        Tried again on another connection if PostgreSQL ended this one, as the library does.
        It pipelines this; with some thousand events psycopg was seen to wait there for a
        server that waited for it.
        """
        rows = [
            (row.originator_id, row.originator_version, row.topic, row.state)
            for row in stored_events
        ]
        if not rows:
            return []
        with self._cursor() as cursor, cursor.connection.transaction():
            self._lock_table(cursor)
            self.notify_channel(cursor)
            cursor.execute(self.insert_all, columns_of(rows), prepare=True)
            return [row[0] for row in cursor.fetchall()]

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A transaction that holds the writers' lock: nobody else writes until it has committed."""
        with self._cursor() as cursor, cursor.connection.transaction():
            self._lock_table(cursor)
            yield Writing(self, cursor)

    def head(self) -> int:
        """The position of the newest event; 0 for an empty log."""
        return cast("int", self._rows(self.select_head)[0][0])

    def read(self, after: int, limit: int) -> list[LoggedEvent]:
        """The next events in commit order: whoever reads on from the last one skips nothing."""
        page = self._logged(self.select_page, after, after, limit)
        if not page and (block := self._block(after)):
            page = self._with_block(block, after, limit)
            if len(page) < limit:
                page += self.read(block.last_position, limit - len(page))
        return page

    def next_besides(self, topics: Sequence[str], after: int) -> LoggedEvent | None:
        """The first event after a position whose topic is none of these, if there is one."""
        found = self._logged(self.select_next_besides, after, after, list(topics))
        if not found and (block := self._block(after)):
            events = self._with_block(block, after, MOST)
            found = [event for event in events if event.topic not in topics]
            return found[0] if found else self.next_besides(topics, block.last_position)
        return found[0] if found else None

    def _block(self, after: int) -> Block | None:
        """The archive's block that has the first archived heartbeat after a position, if any."""
        rows = self._rows(self.select_block, after)
        return Block._make(rows[0]) if rows else None

    def _with_block(self, block: Block, after: int, limit: int) -> list[LoggedEvent]:
        """The next events up to a block's last: its heartbeats, and what stays in the log."""
        beside = self._logged(self.select_beside_block, after, block.last_position, limit)
        heartbeats = self.archive_files.read(block)
        begin = bisect_right(heartbeats, after, key=itemgetter(0))
        return sorted([*heartbeats[begin : begin + limit], *beside])[:limit]

    def spans_as_of(
        self,
        position: int,
        spans: Sequence[tuple[UUID, int, int]],
        limit: int | None,
        *,
        newest_first: bool = False,
    ) -> list[tuple[int, int, bytes]]:
        """Of each span (stream, after, until): the events with `after < version <= until`.

        They are those that were there at a position, by version, at most so many of each span:
        the span's number (the first is 1), the version, the state.
        """
        streams, after, until = zip(*spans, strict=True)
        columns = list(streams), list(after), list(until)
        statement = self.select_spans_backwards if newest_first else self.select_spans
        rows = self._rows(statement, position, limit, *columns)
        return [(row[0], row[1], row[2]) for row in rows]

    def last_topics(self, streams: Sequence[UUID]) -> dict[UUID, str]:
        """The topic of the newest event of each of the streams that has one."""
        return dict(self._rows(self.select_last_topics, list(streams)))

    def select_streams(self, streams: Sequence[UUID]) -> list[StoredEvent]:
        """All events of several streams in one round trip, by stream and version."""
        rows = self._rows(self.select_whole_streams, list(streams))
        return [StoredEvent(*row) for row in rows]

    def fetch(
        self, statement: Composed, *parameters: object, within_s: float
    ) -> list[tuple[Any, ...]]:
        """The rows of a long read. Errors: `too_much_to_read` if it takes longer than that.

        JIT compiling costs such reads more than it saves.
        """
        if within_s <= 0:
            raise too_much_to_read()
        milliseconds = str(max(1, round(1_000 * within_s)))
        with self._cursor() as cursor, cursor.connection.transaction():
            cursor.execute(_LIMIT, (milliseconds,), prepare=True)
            try:
                return cursor.execute(statement, parameters).fetchall()
            except QueryCanceled as error:
                raise too_much_to_read() from error

    @contextmanager
    def _cursor(self) -> Iterator[Cursor[Any]]:
        with (
            self.datastore.get_connection() as connection,
            connection.cursor(row_factory=tuple_row, binary=True) as cursor,
        ):
            yield cursor

    def notify_channel(self, cursor: Cursor[Any]) -> None:
        """Wake whoever listens, once the transaction has committed."""
        self._notify_channel(cursor)

    def _logged(self, statement: Composed, *parameters: object) -> list[LoggedEvent]:
        return list(map(LoggedEvent._make, self._rows(statement, *parameters)))

    def _rows(self, statement: Composed, *parameters: object) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            return cursor.execute(statement, parameters, prepare=True).fetchall()

    def _sql(self, statement: LiteralString, **parts: Composable) -> Composed:
        return SQL(statement).format(
            decommissioned=Literal(Vehicle.Decommissioned.TOPIC),
            heartbeat=Literal(HeartbeatRecorded.TOPIC),
            **self.names,
            channel=Literal(self.channel_name),
            **parts,
        )
