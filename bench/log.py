"""`make bench-log`: how fast the log grows. A heartbeat in PostgreSQL in bytes, indices, WAL too.

Each vehicle sends once a minute, in no order, through the append path of the write service, a
thousand a commit. Bytes do not depend on what else the machine does; rate and CPU do.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import click
import psutil
import psycopg

from bench import fleet, report
from bench.deployment import deployed
from bench.disk import LOG
from bench.run import progress
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE = 1_000
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
A_DAY = 24 * 60

_SIZES = f"""
SELECT 'state', sum(octet_length(state)) FROM {LOG}
UNION ALL SELECT 'table', pg_table_size('{LOG}')
UNION ALL SELECT indexrelid::regclass::text, pg_relation_size(indexrelid)
FROM pg_index WHERE indrelid = '{LOG}'::regclass
UNION ALL SELECT 'total', pg_total_relation_size('{LOG}')
"""  # noqa: S608 # a constant of ours


class Spent(NamedTuple):
    """What PostgreSQL has spent by now: CPU of all its processes, bytes of its WAL."""

    cpu_s: float
    wal: int

    @classmethod
    def by(cls, connection: psycopg.Connection[Any]) -> Spent:
        """Asked on a connection to it."""
        server = psutil.Process(connection.info.backend_pid).parent()
        times = [process.cpu_times() for process in (server, *server.children())]
        ended = times[0].children_user + times[0].children_system
        [[wal]] = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return cls(sum(one.user + one.system for one in times) + ended, int(wal))


def measure(
    url: str, vehicles: int, minutes: int, told: Callable[[float, str], None]
) -> dict[str, Any]:
    """Append heartbeats of a fleet to an empty log, and what each took, in bytes.

    The WAL is told twice: of all minutes, and of one more right after a checkpoint, when each page
    that is touched is written whole. `told` hears how many are appended.
    """
    beats, seconds = vehicles * minutes, 0.0
    with EventLog(url) as log, psycopg.connect(url, autocommit=True) as connection:
        before = Spent.by(connection)
        for number, batch in enumerate(_batches(vehicles, range(minutes)), 1):
            seconds += _append(log, batch)
            told(number * AT_ONCE, "")
        after = Spent.by(connection)
        sizes = connection.execute(_SIZES).fetchall()
        connection.execute("CHECKPOINT")
        then = Spent.by(connection)
        for batch in _batches(vehicles, range(minutes, minutes + 1)):
            _append(log, batch)
        later = Spent.by(connection)
        told(beats + vehicles, "")
    return {
        "heartbeats_a_second": round(beats / seconds),
        "postgresql_cpu_us": round((after.cpu_s - before.cpu_s) / beats * 1e6, 1),
        "bytes": {
            **{name: round(float(size) / beats, 1) for name, size in sizes},
            "wal": round((after.wal - before.wal) / beats, 1),
            "wal after a checkpoint": round((later.wal - then.wal) / vehicles, 1),
        },
    }


def _append(log: EventLog, batch: list[NewEvent]) -> float:
    began = time.perf_counter()
    with log.writing() as writing:
        writing.insert(batch)
    return time.perf_counter() - began


def _batches(vehicles: int, minutes: range) -> Iterator[list[NewEvent]]:
    """Batches of some minutes' heartbeats, each minute's in another order."""
    streams = [heartbeat_stream(fleet.vin(number)).bytes for number in range(vehicles)]
    for minute in minutes:
        dice = Random(minute)  # noqa: S311
        order = list(range(vehicles))
        dice.shuffle(order)
        for begin in range(0, vehicles, AT_ONCE):
            some = order[begin : begin + AT_ONCE]
            received_at = START + timedelta(minutes=minute + begin / vehicles)
            yield [_row(n, UUID(bytes=streams[n]), received_at, dice) for n in some]


def _row(number: int, stream: UUID, received_at: datetime, dice: Random) -> NewEvent:
    """What a device with a GPS receiver and a look at the vehicle's bus says."""
    said = Heartbeat(
        vin=fleet.vin(number),
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


@click.command()
@click.option("--vehicles", default=1_000_000, show_default=True)
@click.option("--minutes", default=5, show_default=True, help="Heartbeats of each vehicle.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
def main(vehicles: int, minutes: int, out: Path) -> None:
    """Measure how fast the log grows."""
    with progress() as bar, deployed(None, search=False) as tracker:
        told = bar("append heartbeats", vehicles * (minutes + 1))
        found = measure(tracker.url, vehicles, minutes, told)
        settings = {**tracker.settings(), "vehicles": vehicles, "minutes": minutes}
    sizes = found["bytes"]
    a_day = sizes["total"] * vehicles * A_DAY / 1e9
    reached = f"{sizes['total']:.0f} bytes, {a_day:,.1f} GB a day at one a minute"
    row = report.row("a heartbeat on disk, indices included", goal="told", reached=reached)
    plot = report.Plot(
        "A heartbeat in PostgreSQL",
        "",
        "bytes",
        list(sizes),
        {"bytes": list(sizes.values())},
        bars=True,
    )
    path = report.write("log", {**found, "rows": [row]}, settings=settings, plot=plot, folder=out)
    report.show("A heartbeat in PostgreSQL, bytes", sizes, path)


if __name__ == "__main__":
    main()
