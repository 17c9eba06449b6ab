"""What a connection monitor keeps in the log's database, so that a start does not read it all.

It is only a short cut: the same events follow from any checkpoint, an old one or none.
"""

from __future__ import annotations

import itertools
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import psycopg

from vehicle_tracker.own_tables import create_once
from write_service.lateness import Lateness
from write_service.watched_fleet import Fleet, Watched

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from threading import Event

FORMAT = 2
"""To be raised whenever what is kept means something else: then it is made anew from the log."""

LOOKS_AGAIN_AFTER_S = 1.0

NEVER = datetime.min.replace(tzinfo=UTC)

_VEHICLES_A_PART = 10_000
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('connection monitor', 0))"
_KEEPALIVES = (
    "SELECT set_config(name, value, false) FROM (VALUES ('tcp_keepalives_idle', '2'),"
    " ('tcp_keepalives_interval', '1'), ('tcp_keepalives_count', '2')) AS setting (name, value)"
)
_CREATE = (
    "CREATE TABLE IF NOT EXISTS connection_monitor"
    " (part integer PRIMARY KEY, format integer NOT NULL, state bytea NOT NULL)"
)
_LOAD = "SELECT state FROM connection_monitor WHERE format = %s ORDER BY part"


class _Header(msgspec.Struct, array_like=True):
    position: int
    received: datetime
    vehicles: int
    customer_limits: dict[bytes, int]
    lateness: Lateness


class Watching(NamedTuple):
    """A fleet as it follows from the log up to a position.

    `received` is the newest reception of a heartbeat up to there.
    """

    fleet: Fleet
    position: int = 0
    received: datetime = NEVER


class Checkpoints:
    """Keeps fleets, by a connection that holds the lock of the active monitor."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        create_once(connection, _CREATE)

    def load(self, default_limit_s: int, head: int) -> Watching:
        """What was kept last; the beginning, if nothing was or it is of another log or format."""
        fleet = Fleet(default_limit_s)
        with closing(self._parts()) as parts:
            first = next(parts, None)
            if first is not None:
                header = msgspec.msgpack.decode(first, type=_Header)
                decode = msgspec.msgpack.Decoder(list[Watched]).decode
                vehicles = (one for part in parts for one in decode(part))
                fleet.restore(vehicles, header.customer_limits, header.lateness)
                if header.position <= head and header.vehicles == len(fleet.vehicles):
                    return Watching(fleet, header.position, header.received)
        return Watching(Fleet(default_limit_s))

    def save(self, watching: Watching) -> None:
        """Keep it in place of what was kept. All that follows from it must be in the log."""
        fleet = watching.fleet
        count = len(fleet.vehicles)
        header = _Header(
            watching.position, watching.received, count, fleet.customer_limits, fleet.lateness
        )
        encode = msgspec.msgpack.Encoder().encode
        insert = "INSERT INTO connection_monitor VALUES (%s, %s, %s)"
        vehicles = iter(fleet.vehicles.values())
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute("DELETE FROM connection_monitor")
            cursor.execute(insert, (0, FORMAT, encode(header)), binary=True)
            for part in itertools.count(1):
                some = list(itertools.islice(vehicles, _VEHICLES_A_PART))
                if not some:
                    break
                cursor.execute(insert, (part, FORMAT, encode(some)), binary=True)

    def _parts(self) -> Generator[bytes]:
        """What was kept, piece by piece: all of a large fleet would be a hundred MB at once."""
        with self._connection.cursor() as cursor:
            for row in cursor.stream(_LOAD, [FORMAT], binary=True):
                yield row[0]


@contextmanager
def active_monitor(url: str, stop: Event) -> Iterator[psycopg.Connection[Any]]:
    """Wait until no other monitor is active, or `stop` is set; the connection that holds the lock.

    The lock saves work; what makes judging right is that a verdict is appended only by who has
    read all that is in the log before it. It ends with the connection, also if its machine dies.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
        connection.execute(_KEEPALIVES)
        while not stop.is_set() and connection.execute(_LOCK).fetchone() != (True,):
            stop.wait(LOOKS_AGAIN_AFTER_S)
        yield connection
