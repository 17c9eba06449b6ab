"""How fast the trips' follower is: heartbeats in their order, late ones, and other rules.

The CPU is the follower's own; PostgreSQL's comes on top.

`python -m bench.trips [VEHICLES]`: a PostgreSQL of its own, a fleet of which a third drives and
stops again, twenty heartbeats a vehicle, one a minute.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from flask_migrate import upgrade
from sqlalchemy import func, select

from bench.deployment import deployed
from projections import create_app
from projections.catalog import trips
from projections.database import db
from projections.follower import Follower
from projections.trips.tables import trip
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.settings import Settings
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

VEHICLES = 10_000
BEATS = 20
DRIVEN = 8
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATE = 20_000
AT_ONCE = 2_000


def _vin(number: int) -> str:
    return f"YS2R4X2{number:010}"


def _row(number: int, at: datetime, minute: int) -> NewEvent:
    drives = number % 3 == 0 and minute < DRIVEN
    said = Heartbeat(
        vin=_vin(number),
        recorded_at=at,
        latitude=59 + (minute / 100 if drives else 0),
        longitude=18.0,
        speed_kmh=60.0 if drives else 0.0,
        ignition=drives,
        odometer_km=1_000.0 + (min(minute, DRIVEN) if number % 3 == 0 else 0),
    )
    event = HeartbeatRecorded(at, said)
    state = heartbeat.encode(event)
    return NewEvent(heartbeat_stream(said.vin), event.version, event.TOPIC, state)


def _append(log: EventLog, rows: Iterable[NewEvent]) -> int:
    some: list[NewEvent] = []
    count = 0
    for row in rows:
        some.append(row)
        count += 1
        if len(some) == AT_ONCE:
            with log.writing() as writing:
                writing.insert(some)
            some = []
    if some:
        with log.writing() as writing:
            writing.insert(some)
    return count


def _follow(follower: Follower, what: str, events: int) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    while follower.catch_up():
        pass
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    each = cpu / events * 1e6
    print(f"{what}: {events:,} in {took:.1f} s, {events / took:,.0f}/s, {each:.0f} µs CPU each")


def main() -> None:
    """Fill a log, and follow it."""
    vehicles = int(sys.argv[1]) if len(sys.argv) > 1 else VEHICLES
    with deployed(None, search=False) as tracker:
        os.environ |= tracker.where
        settings = replace(Settings.from_environment(), log_level="WARNING")
        with EventLog(tracker.url) as log, create_app(settings).app_context():
            upgrade()
            _run(log, vehicles, settings.follower_page)
            db.engine.dispose()


def _run(log: EventLog, vehicles: int, page: int) -> None:
    owner = Customer(name=f"K{uuid4()}", address="Vägen 1")
    log.save(owner)
    fleet = [
        Vehicle(vin=_vin(n), registration_number=f"A{n}", customer_id=owner.id, labels={})
        for n in range(vehicles)
    ]
    for first in range(0, vehicles, AT_ONCE):
        log.save(*fleet[first : first + AT_ONCE])
    follower = Follower(trips(log), log, db.engine, page)
    _follow(follower, "vehicles registered", vehicles)
    minutes = [timedelta(minutes=minute) for minute in range(BEATS)]
    count = _append(
        log,
        (_row(n, START + m, i) for i, m in enumerate(minutes) for n in range(vehicles)),
    )
    _follow(follower, "heartbeats in their order", count)
    with db.engine.connect() as connection:
        found = connection.execute(select(func.count()).select_from(trip)).scalar_one()
    print(f"trips: {found:,}")
    half = timedelta(seconds=30)
    count = _append(
        log,
        (
            _row(n % vehicles, START + half + (n // vehicles) * minutes[1], n // vehicles)
            for n in range(LATE)
        ),
    )
    _follow(follower, "late heartbeats", count)
    owner.change_trip_rules({"stop_after_s": 120})
    log.save(owner)
    _follow(
        follower, f"heartbeats of {vehicles:,} vehicles, by other rules", count + vehicles * BEATS
    )


if __name__ == "__main__":
    main()
