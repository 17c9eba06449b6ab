"""How soon silence is declared, and how fast a connection monitor starts.

`python -m bench.connection [VEHICLES]`: a PostgreSQL of its own, a monitor as a process of its own,
and a fleet that sends for a while, then falls silent: in turn first, then all at one instant.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

import psycopg
from psycopg.sql import SQL, Identifier

from bench.deployment import deployed
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.connection import VehicleDisconnected, decoders
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, utc_now
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.writing import NewEvent
from write_service.connection_judge import ConnectionJudge
from write_service.monitor_checkpoint import Checkpoints, Watching
from write_service.watched_fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from bench.deployment import Deployment

VEHICLES = 100_000
INTERVAL_S = 20
LIMIT_S = 30
ROUNDS = 2
BEATS_A_SECOND = 10
OLD_HEARTBEATS = 10
READ = SQL(
    "SELECT notification_id, state FROM {}"
    " WHERE notification_id > %s AND topic = 'Connection.VehicleDisconnected'"
    " ORDER BY notification_id"
)


@dataclass
class Watcher:
    """Notes how long after its limit each vehicle's disconnection could be read."""

    url: str
    table: str
    after: int
    delays: list[float] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        """Look every 50 ms."""
        read = READ.format(Identifier(self.table))
        decode = decoders[VehicleDisconnected.TOPIC]
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stop.wait(0.05):
                for position, state in connection.execute(read, [self.after]):
                    self.after = position
                    self.delays.append((utc_now() - decode(state).at).total_seconds())


def main() -> None:
    """Fill a log, start from nothing and from a checkpoint, then watch a fleet fall silent."""
    vehicles = int(sys.argv[1]) if len(sys.argv) > 1 else VEHICLES
    with deployed(None, search=False, environment={"DISCONNECT_AFTER_S": str(LIMIT_S)}) as tracker:
        _bench(tracker, vehicles)


def _bench(tracker: Deployment, vehicles: int) -> None:
    vins = [f"YS2R4X2000{number:07d}" for number in range(vehicles)]
    streams = [heartbeat_stream(vin) for vin in vins]
    url = tracker.url
    with EventLog(url) as log:
        start = datetime.now(UTC) - timedelta(seconds=INTERVAL_S * (OLD_HEARTBEATS + 1))
        for n in range(OLD_HEARTBEATS):
            at = start + timedelta(seconds=n * INTERVAL_S)
            for first in range(0, vehicles, 5_000):
                part = range(first, min(first + 5_000, vehicles))
                _append(log, ((vins[k], streams[k]) for k in part), at)
        _start(log, url)
        tracker.start("connection-monitor")
        _fall_silent(log, url, vins, streams)


def _start(log: EventLog, url: str) -> None:
    began = time.monotonic()
    before = _memory()
    judge = ConnectionJudge(log, Watching(Fleet(LIMIT_S)))
    judge.catch_up(Event())
    took = time.monotonic() - began
    size = judge.watching.position
    print(f"start from nothing: {size:,} events in {took:.1f} s, {size / took:,.0f}/s")
    count = len(judge.watching.fleet.vehicles)
    print(f"memory: {(_memory() - before) / count:,.0f} bytes a vehicle, reading included")
    with psycopg.connect(url, autocommit=True) as connection:
        checkpoints = Checkpoints(connection)
        began = time.monotonic()
        checkpoints.save(judge.watching)
        print(f"checkpoint of {count:,} vehicles kept in {time.monotonic() - began:.2f} s")
        began = time.monotonic()
        again = ConnectionJudge(log, checkpoints.load(LIMIT_S, log.head()))
        again.catch_up(Event())
        print(f"start from it: {time.monotonic() - began:.2f} s")


def _fall_silent(log: EventLog, url: str, vins: list[str], streams: list[UUID]) -> None:
    fleet = list(zip(vins, streams, strict=True))
    at_once = len(fleet) // (INTERVAL_S * BEATS_A_SECOND)
    began = time.monotonic()
    first = 0
    for beat in range(ROUNDS * INTERVAL_S * BEATS_A_SECOND):
        first = beat * at_once % (at_once * INTERVAL_S * BEATS_A_SECOND)
        _append(log, fleet[first : first + at_once], utc_now())
        time.sleep(max(0.0, began + (beat + 1) / BEATS_A_SECOND - time.monotonic()))
    sent = at_once * INTERVAL_S * BEATS_A_SECOND
    print(f"{sent:,} vehicles sent {at_once * BEATS_A_SECOND:,} heartbeats/s, and stop one by one")
    _measure(log, url, sent)
    at = utc_now()
    for start in range(0, sent, 5_000):
        _append(log, fleet[start : start + 5_000], at)
    print(f"{sent:,} vehicles send once more, all at one instant")
    _measure(log, url, sent)


def _measure(log: EventLog, url: str, expected: int) -> None:
    watcher = Watcher(url, log.rows.events_table_name, log.head())
    thread = Thread(target=watcher.run)
    thread.start()
    deadline = time.monotonic() + INTERVAL_S + 2 * LIMIT_S
    while len(watcher.delays) < expected and time.monotonic() < deadline:
        time.sleep(0.1)
    watcher.stop.set()
    thread.join()
    found = len(watcher.delays)
    cuts = statistics.quantiles(watcher.delays, n=100)
    most = max(watcher.delays)
    print(
        f"{found:,} of {expected:,} declared, after the limit by"
        f" p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, max {most:.2f} s"
    )


def _append(log: EventLog, fleet: Iterable[tuple[str, UUID]], at: datetime) -> None:
    rows = []
    for vin, stream in fleet:
        event = HeartbeatRecorded(
            at, Heartbeat(vin=vin, recorded_at=at, latitude=59.19, longitude=17)
        )
        rows.append(NewEvent(stream, event.version, event.TOPIC, heartbeat.encode(event)))
    with log.writing() as writing:
        writing.insert(rows)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
