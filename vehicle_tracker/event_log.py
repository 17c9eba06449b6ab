"""The event log as everything else sees it: append, read in commit order, decode, be woken."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import InterfaceError, OperationalError, StoredEvent
from eventsourcing.utils import get_topic
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from vehicle_tracker.archive_files import ArchiveFiles
from vehicle_tracker.domain import connection, heartbeat
from vehicle_tracker.domain.connection import ConnectionEvent, ListeningResumed
from vehicle_tracker.domain.customer import Customer, CustomerKey
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.trip import OpenTrip, Trip
from vehicle_tracker.domain.values import heartbeat_stream, to_microseconds
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.judged_until import judged_until, lateness
from vehicle_tracker.logged_event import LEAST, MOST, LoggedEvent
from vehicle_tracker.recorder import EventLogRecorder
from vehicle_tracker.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

LOG_UNREACHABLE = (OperationalError, InterfaceError)
"""What the log raises when PostgreSQL is away. The log itself is as it was before."""

_TRIES_AGAIN_AFTER_S = 1.0

type_of_event = Aggregate.Event | HeartbeatRecorded | ConnectionEvent | ListeningResumed


class EventLog(Application[UUID]):
    """The log at one address. Safe to share between threads; open one in each process.

    Errors: whatever is in `LOG_UNREACHABLE` while PostgreSQL is away; `archive_unreadable` where a
    file of old heartbeats is not as it was written.
    """

    name = "vehicle_tracker"
    aggregate_classes = (Customer, CustomerKey, Vehicle, Trip, OpenTrip)
    """Named here so that the topics of their events are known wherever the log is read."""

    def __init__(self, url: str, *, connections: int = 2, archive: str = "") -> None:
        """Open it. `archive` is the folder of old heartbeats' files, empty if there is none."""
        self._url = url
        super().__init__(env=library_environment(url, connections))
        if not isinstance(self.recorder, EventLogRecorder):
            raise TypeError(f"not an event log's recorder: {self.recorder!r}")
        self.rows = self.recorder
        self.rows.archive_files = ArchiveFiles(archive)
        # Otherwise its pool tries ever less often, and stays away as long again as PostgreSQL was.
        self.rows.datastore.pool.reconnect_timeout = _TRIES_AGAIN_AFTER_S

    def head(self) -> int:
        """The position of the newest event; 0 for an empty log."""
        return self.rows.head()

    def judged_until(self, position: int) -> datetime | None:
        """Up to which instant all that the connection monitor judged is known at a position.

        None if no monitor ever judged.
        """
        with self.rows.datastore.get_connection() as connection:
            return judged_until(connection, position)

    def lateness(self, now: datetime) -> timedelta:
        """How late nearly all heartbeats arrive, as the connection monitor at work says."""
        with self.rows.datastore.get_connection() as connection:
            return lateness(connection, now)

    def read(self, after: int, limit: int) -> list[LoggedEvent]:
        """The next events in commit order: whoever reads on from the last one skips nothing."""
        return self.rows.read(after, limit)

    def next_besides(self, topics: Sequence[str], after: int) -> LoggedEvent | None:
        """The first event after a position whose topic is none of these, if there is one."""
        return self.rows.next_besides(topics, after)

    def writing(self) -> AbstractContextManager[Writing]:
        """A transaction that holds the writers' lock: nobody else writes until it has committed."""
        return self.rows.writing()

    def event(self, logged: LoggedEvent) -> type_of_event:
        """Decode a row; raises what the decoder raises if its state is not what its topic says."""
        if logged.topic == HeartbeatRecorded.TOPIC:
            return heartbeat.decode(logged.state)
        if decode := connection.decoders.get(logged.topic):
            return decode(logged.state)
        return cast("Aggregate.Event", self.mapper.to_domain_event(StoredEvent(*logged[1:])))

    def heartbeats(
        self,
        vin: str,
        *,
        after: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[HeartbeatRecorded]:
        """A vehicle's heartbeats with `after < recorded_at <= until`, by `recorded_at`."""
        span = (
            heartbeat_stream(vin),
            to_microseconds(after) if after else LEAST,
            to_microseconds(until) if until else MOST,
        )
        rows = self.rows.spans_as_of(MOST, [span], limit, newest_first=newest_first)
        return [heartbeat.decode(state) for _, _, state in rows]

    def aggregates(self, streams: Sequence[UUID]) -> dict[UUID, Any]:
        """Those of the aggregates that exist, in one round trip."""
        found: dict[UUID, Any] = {}
        for row in self.rows.select_streams(streams):
            event = cast("Aggregate.Event", self.mapper.to_domain_event(row))
            found[event.originator_id] = event.mutate(found.get(event.originator_id))
        return found

    def last_event(self, stream: UUID) -> Aggregate.Event | None:
        """The newest event of an aggregate, however long its stream is."""
        rows = self.rows.select_events(stream, desc=True, limit=1)
        return cast("Aggregate.Event", self.mapper.to_domain_event(rows[0])) if rows else None

    def stream(self, stream: UUID) -> list[Aggregate.Event]:
        """All events of an aggregate, by version."""
        return self.streams([stream]).get(stream, [])

    def streams(self, streams: Sequence[UUID]) -> dict[UUID, list[Aggregate.Event]]:
        """All events of those of the aggregates that exist, by version, in one round trip."""
        found: dict[UUID, list[Aggregate.Event]] = {}
        for row in self.rows.select_streams(streams):
            event = cast("Aggregate.Event", self.mapper.to_domain_event(row))
            found.setdefault(event.originator_id, []).append(event)
        return found

    def drop_lost_connections(self) -> None:
        """Make place for new ones, where PostgreSQL has ended some: each would fail once."""
        self.rows.datastore.pool.check()

    @contextmanager
    def listening(self) -> Iterator[Callable[[float], bool]]:
        """A function that waits so many seconds for an append, and says if there was one."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(SQL("LISTEN {}").format(Identifier(self.rows.channel_name)))
            self.drop_lost_connections()  # whoever listens anew may have lost others, too
            yield lambda seconds: any(connection.notifies(timeout=seconds, stop_after=1))


def library_environment(url: str, connections: int) -> dict[str, str]:
    """The library's settings. Whatever the process's own environment says, no two may differ.

    `POSTGRES_ENABLE_DB_FUNCTIONS` would lose the writers' lock, and with it the read order.
    """
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "APPLICATION_RECORDER_TOPIC": get_topic(EventLogRecorder),
        "POSTGRES_DBNAME": parts.get("dbname", "postgres"),
        "POSTGRES_HOST": parts.get("host", ""),
        "POSTGRES_PORT": parts.get("port", ""),
        "POSTGRES_USER": parts.get("user", "postgres"),
        "POSTGRES_PASSWORD": parts.get("password", ""),
        "POSTGRES_CONNECT_TIMEOUT": "2",
        "POSTGRES_POOL_SIZE": str(connections),
        "POSTGRES_MAX_OVERFLOW": "8",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "n",
        "POSTGRES_LOCK_TIMEOUT": "5",
        "COMPRESSOR_TOPIC": "",
        "CIPHER_TOPIC": "",
    }
