"""How fast the log grows: bytes and CPU of a heartbeat in PostgreSQL, indices and WAL included.

`make bench-log`, or `python -m bench.log --vehicles 1000000 --minutes 5`: a PostgreSQL of its own,
set as `make run` sets it; each vehicle sends once a minute, in no order, through the append path of
the write service, a thousand a commit.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
import psutil
import psycopg

from embedded.data_folder import DataFolder
from embedded.postgresql import NAME, PostgreSQL
from embedded.supervisor import Supervisor
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.recorder import NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE = 1_000
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Fleet:
    """So many vehicles, which send once a minute."""

    vehicles: int
    minutes: int

    def batches(self, minutes: range) -> Iterator[list[NewEvent]]:
        """The heartbeats of some minutes in batches, each minute's in another order."""
        streams = [heartbeat_stream(_vin(number)).bytes for number in range(self.vehicles)]
        for minute in minutes:
            dice = Random(minute)  # noqa: S311
            order = list(range(self.vehicles))
            dice.shuffle(order)
            for begin in range(0, self.vehicles, AT_ONCE):
                some = order[begin : begin + AT_ONCE]
                received_at = START + timedelta(minutes=minute + begin / self.vehicles)
                yield [_row(n, UUID(bytes=streams[n]), received_at, dice) for n in some]


def _vin(number: int) -> str:
    return f"YS2R4X2{number:010}"


def _row(number: int, stream: UUID, received_at: datetime, dice: Random) -> NewEvent:
    """What a device with a GPS receiver and a look at the vehicle's bus says."""
    said = Heartbeat(
        vin=_vin(number),
        recorded_at=received_at - timedelta(milliseconds=dice.randrange(100, 3_000)),
        latitude=round(dice.uniform(55, 69), 6),
        longitude=round(dice.uniform(11, 24), 6),
        speed_kmh=round(dice.uniform(0, 90), 1),
        heading_deg=round(dice.uniform(0, 360), 1),
        odometer_km=round(dice.uniform(0, 900_000), 1),
        fuel_level=round(dice.random(), 2),
        ignition=True,
    )
    event = HeartbeatRecorded(received_at, said)
    return NewEvent(stream, event.version, event.TOPIC, heartbeat.encode(event))


def measure(url: str, fleet: Fleet, told: Callable[[int], None]) -> dict[str, Any]:
    """Append all heartbeats of a fleet to an empty log, and what a heartbeat took of it.

    Sizes are in bytes, and those of the WAL are told twice: of all minutes, and of one more right
    after a checkpoint, when each page that is touched is written whole. `told` is called with the
    number of heartbeats of each commit.
    """
    beats, minutes = fleet.vehicles * fleet.minutes, fleet.minutes
    with EventLog(url) as log, psycopg.connect(url, autocommit=True) as connection:
        server = psutil.Process(connection.info.backend_pid).parent()
        cpu_s, wal = _cpu_s(server), _wal(connection)
        seconds = sum(_append(log, batch, told) for batch in fleet.batches(range(minutes)))
        cpu_s, wal = _cpu_s(server) - cpu_s, _wal(connection) - wal
        sizes = connection.execute(_SIZES).fetchall()
        connection.execute("CHECKPOINT")
        wal_then = _wal(connection)
        for batch in fleet.batches(range(minutes, minutes + 1)):
            _append(log, batch, told)
        wal_then = _wal(connection) - wal_then
    return {
        "vehicles": fleet.vehicles,
        "heartbeats": beats,
        "heartbeats_a_second": round(beats / seconds),
        "postgresql_cpu_us": round(cpu_s / beats * 1e6, 1),
        "bytes": {
            **{name: round(float(size) / beats, 1) for name, size in sizes},
            "wal": round(wal / beats, 1),
            "wal_after_a_checkpoint": round(wal_then / fleet.vehicles, 1),
        },
    }


def _append(log: EventLog, batch: list[NewEvent], told: Callable[[int], None]) -> float:
    began = time.perf_counter()
    with log.writing() as writing:
        writing.insert(batch)
    told(len(batch))
    return time.perf_counter() - began


_SIZES = """
SELECT 'state', sum(octet_length(state)) FROM vehicle_tracker_events
UNION ALL SELECT 'heap', pg_table_size('vehicle_tracker_events')
UNION ALL SELECT indexrelid::regclass::text, pg_relation_size(indexrelid)
FROM pg_index WHERE indrelid = 'vehicle_tracker_events'::regclass
UNION ALL SELECT 'total', pg_total_relation_size('vehicle_tracker_events')
"""


def _wal(connection: psycopg.Connection[Any]) -> int:
    [[written]] = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(written)


def _cpu_s(server: psutil.Process) -> float:
    """What a PostgreSQL server has used by now, with those of its processes that have ended."""
    times = [process.cpu_times() for process in (server, *server.children())]
    ended = times[0].children_user + times[0].children_system
    return float(sum(one.user + one.system for one in times) + ended)


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL as `make run` starts it, in a folder that is then deleted."""
    with tempfile.TemporaryDirectory(prefix="vt-bench-") as folder:
        data = DataFolder(Path(folder) / "data")
        supervisor = Supervisor(data.logs, say=click.echo)
        server = PostgreSQL(data.postgresql, data.socket_folder())
        try:
            server.create(supervisor)
            server.start(supervisor, lambda: None)
            yield server.url
        finally:
            supervisor.stop(NAME, within_s=60)
            supervisor.close()


@click.command()
@click.option("--vehicles", default=1_000_000, show_default=True)
@click.option("--minutes", default=5, show_default=True, help="Heartbeats of each vehicle.")
def main(vehicles: int, minutes: int) -> None:
    """Measure how fast the log grows: bytes of a heartbeat on disk."""
    fleet = Fleet(vehicles, minutes)
    with (
        postgresql() as url,
        click.progressbar(
            length=vehicles * (minutes + 1), label="Appending", file=sys.stderr
        ) as bar,
    ):
        click.echo(json.dumps(measure(url, fleet, bar.update), indent=2))


if __name__ == "__main__":
    main()
