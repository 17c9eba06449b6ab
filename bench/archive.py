"""`make bench-archive`: what old heartbeats take once they are archived, and how they are read.

Vehicles that drive and stand send once a minute. All of it is appended, read whole, archived, and
read whole again; then as much is appended again, to see whether the archived made place for it.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event
from typing import TYPE_CHECKING, Any

import click
import psycopg

from bench import fleet, report
from bench.deployment import deployed
from bench.disk import LOG
from bench.log import Spent
from bench.run import progress
from vehicle_tracker.archiving import AT_ONCE, Archiving, alone_archiving
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, utc_now
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.history import Deadline, History
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
PAGE = 2_000
CHANGES = 0.01
"""How likely it is in a minute that a vehicle stops, or drives again."""


class _Driving:
    """A vehicle that drives a while, stands a while, and says where and how fast."""

    def __init__(self, number: int, dice: Random) -> None:
        self.vin, self._dice = fleet.vin(number), dice
        self._stream = heartbeat_stream(self.vin)
        self._latitude, self._longitude = dice.uniform(55, 69), dice.uniform(11, 24)
        self._heading, self._odometer_km = dice.uniform(0, 360), dice.uniform(0, 900_000)
        self._fuel, self._drives = dice.random(), True

    def row(self, received_at: datetime) -> NewEvent:
        """What it says a minute later."""
        dice, speed = self._dice, 0.0
        self._drives ^= dice.random() < CHANGES
        if self._drives:
            speed = max(0.0, dice.gauss(60, 20))
            self._heading = (self._heading + dice.gauss(0, 15)) % 360
            self._odometer_km += speed / 60
            self._fuel = (self._fuel - speed / 50_000) % 1
            self._latitude += speed / 6_700 * math.cos(math.radians(self._heading))
            self._longitude += speed / 3_500 * math.sin(math.radians(self._heading))
        said = Heartbeat(
            vin=self.vin,
            recorded_at=received_at - timedelta(milliseconds=dice.randrange(100, 3_000)),
            latitude=round(self._latitude, 6),
            longitude=round(self._longitude, 6),
            speed_kmh=round(speed, 1),
            heading_deg=round(self._heading, 1),
            odometer_km=round(self._odometer_km, 1),
            fuel_level=round(self._fuel, 2),
            ignition=self._drives,
        )
        event = HeartbeatRecorded(received_at, said)
        return NewEvent(self._stream, event.version, event.TOPIC, heartbeat.encode(event))


def measure(
    url: str,
    folder: Path,
    size: tuple[int, int],
    at_once: int,
    told: Callable[[float, str], None],
) -> dict[str, Any]:
    """Archive the heartbeats of a fleet of (vehicles, minutes), and what they took before and then.

    `told` hears how many were appended.
    """
    vehicles, minutes = size
    dice = Random(1)  # noqa: S311
    drivers = [_Driving(number, dice) for number in range(vehicles)]
    with EventLog(url, archive=str(folder)) as log, alone_archiving(url) as connection:
        beats = _append(log, drivers, range(minutes), told)
        log_bytes = _size(connection, LOG)
        reading = _read(log, drivers, minutes)
        before, python = Spent.by(connection), time.process_time()
        began = time.perf_counter()
        archived = Archiving(log, connection, at_once).run(utc_now(), lambda *_: None, Event())
        took_s = time.perf_counter() - began
        after, python = Spent.by(connection), time.process_time() - python
        reading_archived = _read(log, drivers, minutes)
        more = _append(log, drivers, range(minutes, 2 * minutes), told)
        grown = _size(connection, LOG) - log_bytes
    count = archived.heartbeats
    return {
        "heartbeats": count,
        "bytes": {
            "in the log": round(log_bytes / beats, 1),
            "in files": round(archived.in_files / count, 1),
            "in the table by stream": round(archived.in_tables / count, 1),
            "archived": round((archived.in_files + archived.in_tables) / count, 1),
            "the log grew by, of each after": round(grown / more, 1),
        },
        "archived_a_second": round(count / took_s),
        "cpu_us": {
            "python": round(python / count * 1e6, 1),
            "postgresql": round((after.cpu_s - before.cpu_s) / count * 1e6, 1),
        },
        "wal_bytes": round((after.wal - before.wal) / count, 1),
        "read": {"from the log": reading, "archived": reading_archived},
    }


def _append(
    log: EventLog, drivers: list[_Driving], minutes: range, told: Callable[[float, str], None]
) -> int:
    count = 0
    for minute in minutes:
        for begin in range(0, len(drivers), PAGE):
            received_at = BEGIN + timedelta(minutes=minute + begin / len(drivers))
            with log.writing() as writing:
                rows = [one.row(received_at) for one in drivers[begin : begin + PAGE]]
                count += len(writing.insert(rows).new)
            told(minute * len(drivers) + begin + len(rows), "")
    return count


def _read(log: EventLog, drivers: list[_Driving], minutes: int) -> dict[str, float]:
    """All of it page by page, as followers do; and what is asked of the past, in milliseconds."""
    count, position, began = 0, 0, time.perf_counter()
    while page := log.read(position, PAGE):
        position = page[-1].position
        count += len(page)
    read_s = time.perf_counter() - began
    history, vins = History(log.rows), [one.vin for one in drivers]
    then = BEGIN + timedelta(minutes=minutes / 2)
    asked = {
        "a vehicle's heartbeats": lambda: log.heartbeats(vins[0], until=then),
        "when 1,000 were heard last": lambda: history.times_of_newest(
            vins[:1_000], then, position, Deadline()
        ),
        "what 1,000 said last": lambda: history.newest_heartbeats(
            vins[:1_000], then, position, Deadline()
        ),
    }
    took_ms = {f"{what}, ms": _milliseconds(ask) for what, ask in asked.items()}
    return {"events a second": round(count / read_s), **took_ms}


def _milliseconds(ask: Callable[[], object]) -> float:
    """The median of some tries."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return round(statistics.median(took) * 1e3, 1)


def _size(connection: psycopg.Connection[Any], table: str) -> int:
    [[size]] = connection.execute("SELECT pg_total_relation_size(%s)", [table])
    return int(size)


@click.command()
@click.option("--vehicles", default=10_000, show_default=True)
@click.option("--minutes", default=120, show_default=True, help="Heartbeats of each vehicle.")
@click.option("--at-once", default=AT_ONCE, show_default=True, help="Heartbeats of a step.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
def main(vehicles: int, minutes: int, at_once: int, out: Path) -> None:
    """Measure what archiving saves, and what it costs."""
    with (
        progress() as bar,
        deployed(None, search=False) as tracker,
        tempfile.TemporaryDirectory() as folder,
    ):
        told = bar("append heartbeats", 2 * vehicles * minutes)
        found = measure(tracker.url, Path(folder), (vehicles, minutes), at_once, told)
        settings = {
            **tracker.settings(),
            "vehicles": vehicles,
            "minutes": minutes,
            "at_once": at_once,
        }
    sizes = found["bytes"]
    reached = f"{sizes['archived']:.0f} of {sizes['in the log']:.0f} bytes"
    row = report.row("an archived heartbeat on disk", goal="told", reached=reached)
    plot = report.Plot(
        "A heartbeat on disk", "", "bytes", list(sizes), {"bytes": list(sizes.values())}, bars=True
    )
    path = report.write(
        "archive", {**found, "rows": [row]}, settings=settings, plot=plot, folder=out
    )
    read = {
        f"{what}: {of}": figure
        for of, figures in found["read"].items()
        for what, figure in figures.items()
    }
    shown = {**sizes, "archived a second": found["archived_a_second"], **read}
    report.show("A heartbeat on disk, bytes", shown, path)


if __name__ == "__main__":
    main()
