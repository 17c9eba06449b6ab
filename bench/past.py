"""How long it takes to find vehicles as they were at an instant, all of them heard since or none.

`python -m bench.past [VEHICLES]`: a PostgreSQL of its own, a fleet with two heartbeats each before
the instant and two after it. Requests do not leave the process.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask_migrate import upgrade

from bench.deployment import deployed
from projections import create_app as create_projections
from projections.catalog import CUSTOMER_VEHICLES
from projections.database import db
from read_service.app import create_app
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, utc_now
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.schemas import rfc3339
from vehicle_tracker.settings import Settings
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from flask.testing import FlaskClient

VEHICLES = 100_000
CUSTOMERS = 500
AT_ONCE = 2_000
TIMES = 5
QUERIES = ("", "status=connected&sort=-last_heartbeat_at", "q=kund 7", "bbox=17,55,18,60")
SECOND = timedelta(seconds=1)


def main() -> None:
    """Fill a log and the read model, then ask."""
    vehicles = int(sys.argv[1]) if len(sys.argv) > 1 else VEHICLES
    with deployed(None, search=False) as tracker:
        os.environ |= tracker.where
        settings = replace(Settings.from_environment(), log_level="WARNING")
        at = fill(settings, vehicles)
        ask(settings, {"all heard since": at, "none heard since": utc_now()})


def fill(settings: Settings, vehicles: int) -> datetime:
    """So many vehicles and their heartbeats; answers the instant in the middle of those."""
    with ExitStack() as stack:
        log = stack.enter_context(EventLog(settings.event_log_url))
        stack.enter_context(create_projections(settings).app_context())
        stack.callback(db.engine.dispose)
        upgrade()
        _register(log, vehicles)
        at = utc_now()
        for number, offset in enumerate((-90, -5, 0.001, 0.5)):
            _beat(log, vehicles, at + offset * SECOND, number)
        follower = CUSTOMER_VEHICLES.follower(log, db.engine, AT_ONCE)
        while follower.catch_up():
            pass
    return at


def ask(settings: Settings, instants: dict[str, datetime]) -> None:
    """Print how long answers of these instants take."""
    app = create_app(settings)
    client = app.test_client()
    for name, at in instants.items():
        for query in QUERIES:
            took = [_asked(client, f"/api/v1/fleet?at={rfc3339(at)}&{query}") for _ in range(TIMES)]
            median, longest = statistics.median(took), max(took)
            print(f"{name:17} {query:42} p50 {median:6.2f} s   max {longest:6.2f} s", flush=True)
    app.extensions["read_models"].engine.dispose()
    app.extensions["read_models"].log.close()


def _asked(client: FlaskClient, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(quote(path, safe="/?&=,-:."))
    assert answer.status_code == 200, answer.text  # noqa: PLR2004
    return time.perf_counter() - began


def _vin(number: int) -> str:
    return f"YS2R4X2{number:010}"


def _some(begin: int, vehicles: int) -> range:
    return range(begin, min(begin + AT_ONCE, vehicles))


def _register(log: EventLog, vehicles: int) -> None:
    owners = [Customer(name=f"Kund {n} AB", address=f"Väg {n}") for n in range(CUSTOMERS)]
    log.save(*owners)
    for begin in range(0, vehicles, AT_ONCE):
        some = [
            Vehicle(_vin(n), f"ABC{n:06}", owners[n % CUSTOMERS].id, {"depå": f"D{n % 9}"})
            for n in _some(begin, vehicles)
        ]
        log.save(*some)


def _beat(log: EventLog, vehicles: int, at: datetime, number: int) -> None:
    for begin in range(0, vehicles, AT_ONCE):
        with log.writing() as writing:
            writing.insert([_row(n, at, number) for n in _some(begin, vehicles)])


def _row(n: int, at: datetime, number: int) -> NewEvent:
    said = Heartbeat(
        vin=_vin(n),
        recorded_at=at - n % 1_000 * SECOND / 1_000_000,
        latitude=55 + n % 1_400 / 100,
        longitude=11 + n % 1_300 / 100,
        speed_kmh=10.0 * number,
        odometer_km=1_000.0 + n,
        ignition=True,
    )
    event = HeartbeatRecorded(at, said)
    state = heartbeat.encode(event)
    return NewEvent(heartbeat_stream(said.vin), event.version, event.TOPIC, state)


if __name__ == "__main__":
    main()
