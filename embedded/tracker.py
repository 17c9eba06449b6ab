"""The whole tracker on one machine: what is started, in which order, and how it ends."""

import contextlib
import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from embedded.dashboard import Dashboard
from embedded.data_folder import DataFolder, Run
from embedded.elasticsearch import NAME as ELASTICSEARCH
from embedded.elasticsearch import find_or_provision
from embedded.errors import CannotStart
from embedded.options import Options
from embedded.postgresql import NAME as POSTGRESQL
from embedded.postgresql import PostgreSQL
from embedded.programs import CHECKOUT, HOST, addresses, free_port, monitor, projections, service
from embedded.stamp import Stamp
from embedded.supervisor import Program, Supervisor
from embedded.terminal import Terminal
from vehicle_tracker.refusal import expect_free

MIGRATIONS = CHECKOUT / "migrations"
DEMO_FLEET = Path(__file__).parent / "demo_fleet.csv"
FOLLOWERS = ("customer_vehicles", "trips")
SEARCH_FOLLOWERS = ("vehicle_search", "trip_search")
READY_WITHIN_S = 60.0
STOPS_WITHIN_S = 4.5
# Who writes ends first, so that every answer still has its commit behind it.
STOP_ORDER = (
    (("simulator", "write-service", "connection-monitor"), 1.5),
    (
        (
            "front-door",
            "read-service",
            *(f"follower-{name}" for name in FOLLOWERS + SEARCH_FOLLOWERS),
        ),
        1.2,
    ),
)


class Tracker:
    """One run from the first step to the last process gone."""

    def __init__(self, options: Options, terminal: Terminal) -> None:
        self._options = options
        self._terminal = terminal
        self._data = DataFolder(options.data)
        self._group = 0
        self._read_port, self._write_port = free_port(), free_port()
        self._supervisor = Supervisor(
            self._data.logs,
            inherited=self._data.group_lock,
            say=terminal.warn,
            on_group=self._remember_group,
        )

    def run(self) -> None:
        """Start everything, say where it is, keep it running until interrupted; then stop it."""
        self._data.lock()
        _refuse_taken_port(self._options.port)
        with self._guarded():
            try:
                self._start()
                self._started_by = os.getppid()
                self._supervisor.wait_until(self._is_abandoned)
            finally:
                self._stop()

    def _start(self) -> None:
        step, began = self._terminal.step, time.monotonic()
        dashboard = Dashboard()
        if not dashboard.is_current():
            with step("Build the dashboard"):
                dashboard.build(self._supervisor.run)
        with step("Start PostgreSQL"):
            database = PostgreSQL(self._data.postgresql, self._data.socket_folder())
            database.create(self._supervisor)
            database.start(
                self._supervisor,
                on_recovery=lambda: self._terminal.say("  it recovers from the last run's end"),
            )
        where = addresses(database.url, self._start_elasticsearch())
        with step("Start the services"):
            self._start_services(where, dashboard)
            self._migrate(where)
            searched = SEARCH_FOLLOWERS if where["ELASTICSEARCH_URL"] else ()
            for name in (*FOLLOWERS, *searched):
                self._supervisor.start(projections(f"follower-{name}", where, "follow", name))
            self._supervisor.start(monitor(where))
            self._await_ready()
        self._register_demo_fleet()
        address = f"http://{HOST}:{self._options.port}"
        if self._options.simulator:
            self._supervisor.start(_simulator(address, self._options))
        self._terminal.say(
            f"\n  The vehicle tracker runs at {address}  ({time.monotonic() - began:.1f} s)\n"
            f"  Data and logs: {self._data.path}. Ctrl-C stops everything.\n"
        )

    def _start_elasticsearch(self) -> str:
        """Start Elasticsearch if it is asked for; answer its address, or nothing."""
        if not self._options.elasticsearch:
            return ""
        with self._terminal.step("Start Elasticsearch"):
            server = find_or_provision(self._data.path / ELASTICSEARCH, self._terminal.say)
            server.start(self._supervisor)
        return server.url

    def _start_services(self, where: dict[str, str], dashboard: Dashboard) -> None:
        for name, port in (("write", self._write_port), ("read", self._read_port)):
            self._supervisor.start(service(name, port, where))
        door = [sys.executable, "-m", "embedded.front_door", "--port", str(self._options.port)]
        door += ["--read-service", f"http://{HOST}:{self._read_port}"]
        door += ["--write-service", f"http://{HOST}:{self._write_port}"]
        door += ["--dashboard", str(dashboard.built)]
        self._supervisor.start(Program("front-door", door, folder=CHECKOUT))

    def _migrate(self, where: dict[str, str]) -> None:
        """Bring the read models' schema up to date, unless the last run has."""
        program = projections("migrations", where, "db", "upgrade")
        Stamp(self._data.path / "migrated_from", MIGRATIONS.rglob("*.py")).keep(
            lambda: self._supervisor.run(program, "Migrating the read models")
        )

    def _await_ready(self) -> None:
        ready = {
            "write-service": lambda: _is_ready(self._write_port),
            "read-service": lambda: _is_ready(self._read_port),
            "front-door": lambda: _is_ready(self._options.port),
        }
        for name, is_ready in ready.items():
            if not self._supervisor.wait_until(self._checked(name, is_ready), READY_WITHIN_S):
                log = self._data.logs / f"{name}.log"
                raise CannotStart(f"{name} is not ready after {READY_WITHIN_S:g} s (log: {log}).")

    def _checked(self, name: str, is_ready: Callable[[], bool]) -> Callable[[], bool]:
        def condition() -> bool:
            self._supervisor.check(name)
            return is_ready()

        return condition

    def _register_demo_fleet(self) -> None:
        """Register the demo fleet once; what is changed about it later stays changed."""
        registered = self._data.path / "demo_fleet_registered"
        if registered.exists():
            return
        with self._terminal.step("Register the demo fleet"):
            status, answer = _ask(
                self._write_port,
                "POST",
                "/api/v1/vehicles/import",
                DEMO_FLEET.read_bytes(),
                {"Content-Type": "text/csv; charset=utf-8"},
            )
            if status != http.client.OK or json.loads(answer).get("rejected"):
                raise CannotStart(f"The demo fleet was not registered: {status} {answer.decode()}")
            registered.touch()

    def _is_abandoned(self) -> bool:
        """Answer whether the `make` that started us was killed; nobody else could stop us then."""
        return "MAKELEVEL" in os.environ and os.getppid() != self._started_by

    def _stop(self) -> None:
        deadline = time.monotonic() + STOPS_WITHIN_S
        self._remember(stopping=True)
        for names, within_s in STOP_ORDER:
            self._supervisor.stop(*names, within_s=within_s)
        self._supervisor.stop(POSTGRESQL, ELASTICSEARCH, within_s=deadline - time.monotonic())
        self._supervisor.close()
        self._data.unlock()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Have the guardian at our side: it holds one end of a pipe, only we hold the other."""
        reading, writing = os.pipe()
        try:
            command = [sys.executable, "-m", "embedded.guardian"]
            self._supervisor.start(Program("guardian", command, folder=CHECKOUT, stdin=reading))
            yield
        finally:
            os.close(writing)
            os.close(reading)

    def _remember_group(self, group: int) -> None:
        self._group = group
        self._remember(stopping=False)

    def _remember(self, *, stopping: bool) -> None:
        self._data.remember(Run(os.getpid(), self._group, self._options.port, stopping))


def _simulator(address: str, options: Options) -> Program:
    command = [sys.executable, "-m", "simulator", "--url", address]
    command += ["--vehicles", str(options.vehicles), "--interval", f"{options.interval_s:g}"]
    return Program("simulator", command, {"PYTHONUNBUFFERED": "1"}, folder=CHECKOUT)


def _refuse_taken_port(port: int) -> None:
    try:
        expect_free(port, HOST)
    except PermissionError as error:
        raise CannotStart(
            f"Port {port} needs more rights; choose another: make run PORT=8001"
        ) from error
    except OSError as error:
        raise CannotStart(
            f"Port {port} is in use by another program; choose another: make run PORT={port + 1}"
        ) from error


def _is_ready(port: int) -> bool:
    try:
        status, _ = _ask(port, "GET", "/health/ready")
    except (OSError, http.client.HTTPException):
        return False
    return status == http.client.OK


def _ask(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
