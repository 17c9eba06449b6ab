"""A whole tracker in a folder, of the pieces that `make run` is made of, each process by its name.

Everything a process asks of PostgreSQL carries its name (`PGAPPNAME`), so that what PostgreSQL
spends can be told apart by whom it is spent for.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import machine
from embedded import programs
from embedded.elasticsearch import NAME as ELASTICSEARCH
from embedded.elasticsearch import find_or_provision
from embedded.errors import CannotStart
from embedded.postgresql import FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN, PostgreSQL
from embedded.postgresql import NAME as POSTGRESQL
from embedded.supervisor import Program, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

GUARDIAN = "guardian"
HEAP = "1g"
READY_WITHIN_S = 60.0
STOPS_WITHIN_S = 10.0
STORES_STOP_WITHIN_S = 30.0


class Deployment:
    """PostgreSQL and, if asked for, Elasticsearch run; of the tracker whatever was started.

    `environment` is what its processes are told beside the addresses.
    """

    def __init__(
        self,
        folder: Path,
        supervisor: Supervisor,
        where: dict[str, str],
        followers: tuple[str, ...],
    ) -> None:
        self.folder = folder
        self.supervisor = supervisor
        self.where = where
        self.followers = followers
        self.ports = {name: programs.free_port() for name in self._names()}

    @property
    def url(self) -> str:
        """The address of PostgreSQL."""
        return self.where["EVENT_LOG_URL"]

    @property
    def elasticsearch(self) -> str:
        """The address of Elasticsearch; empty if there is none."""
        return self.where["ELASTICSEARCH_URL"]

    def migrate(self) -> None:
        """Bring the read models' schema up to date."""
        program = programs.projections("migrations", self.where, "db", "upgrade")
        self.supervisor.run(program, "Migrating the read models")

    def start_followers(self) -> None:
        """Start the followers and the connection monitor."""
        for name in self.followers:
            self.start(f"follower-{name}")
        self.start("connection-monitor")

    def start_services(self, *, write_workers: int = 1) -> None:
        """Start the write and the read service; both are ready when this returns."""
        self.start("write-service", "--workers", str(write_workers))
        self.start("read-service")
        self.wait_until_ready("write-service")
        self.wait_until_ready("read-service")

    def start(self, name: str, *options: str) -> None:
        """Start one process of the tracker."""
        where = {**self.where, "PGAPPNAME": name}
        kind, _, what = name.partition("-")
        if what == "service":
            program = programs.service(kind, self.ports[name], where, *options)
        else:
            where["HEALTH_PORT"] = str(self.ports[name])
            program = (
                programs.projections(name, where, "follow", what)
                if kind == "follower"
                else programs.monitor(where)
            )
        self.supervisor.start(program)

    def wait_until_ready(self, name: str) -> float:
        """Wait until it says that it is ready; answers for how many seconds that was."""
        began = time.monotonic()
        while not self._is_ready(name):
            self.supervisor.tick()
            if time.monotonic() - began > READY_WITHIN_S:
                raise CannotStart(f"{name} is not ready after {READY_WITHIN_S:g} s.")
            time.sleep(0.02)
        return time.monotonic() - began

    def stop(self, within_s: float = STOPS_WITHIN_S) -> None:
        """Stop all of the tracker, by force whoever has not in time; the stores go on."""
        kept = (POSTGRESQL, ELASTICSEARCH, GUARDIAN)
        running = [name for name in self.supervisor.processes() if name not in kept]
        self.supervisor.stop(*running, within_s=within_s)

    def settings(self) -> dict[str, Any]:
        """What figures depend on beside the machine. Errors: `ValueError` if not durable."""
        return {
            "postgresql": machine.postgresql(self.url),
            "elasticsearch": machine.elasticsearch(self.elasticsearch),
            "elasticsearch_heap": HEAP,
            "followers": self.followers,
        }

    def _names(self) -> tuple[str, ...]:
        followers = (f"follower-{name}" for name in self.followers)
        # The read service last: it is not ready before followers have made what it asks.
        return "write-service", *followers, "connection-monitor", "read-service"

    def _is_ready(self, name: str) -> bool:
        url = f"http://{programs.HOST}:{self.ports[name]}/health/ready"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def deployed(
    data: Path | None,
    *,
    search: bool = True,
    trips: bool = False,
    environment: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
) -> Iterator[Deployment]:
    """Both stores on `data`, or on a folder that is gone afterwards; all is stopped at the end.

    SIGTERM and Ctrl-C are an end, too; nobody finishes writing what is gone afterwards. Without
    `search` there is no Elasticsearch; with `trips` they are followed too. `ports` are those that
    may not be any.
    """
    before = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGINT)}
    folder = (data or Path(tempfile.mkdtemp(prefix="vt-bench-"))).absolute()
    sockets = Path(tempfile.mkdtemp(prefix="vt-"))
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(logs, say=lambda line: print(line, file=sys.stderr))
    reading, writing = os.pipe()
    tracker = None
    try:
        guardian = [sys.executable, "-m", "embedded.guardian"]
        supervisor.start(Program(GUARDIAN, guardian, folder=programs.CHECKOUT, stdin=reading))
        how = FAST_SHUTDOWN if data else IMMEDIATE_SHUTDOWN
        postgresql = PostgreSQL(folder / POSTGRESQL, sockets, stop_signal=how)
        postgresql.create(supervisor)
        postgresql.start(supervisor, on_recovery=lambda: None)
        elasticsearch = ""
        if search:
            server = find_or_provision(folder / ELASTICSEARCH, print, heap=HEAP)
            server.start(supervisor)
            elasticsearch = server.url
        where = {**programs.addresses(postgresql.url, elasticsearch), **(environment or {})}
        tracker = Deployment(folder, supervisor, where, _followers(search=search, trips=trips))
        tracker.ports |= ports or {}
        yield tracker
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # it ends already
        if tracker is not None:  # who writes first, the stores last
            tracker.stop(within_s=STOPS_WITHIN_S if data else 0)
        supervisor.stop(ELASTICSEARCH, within_s=STORES_STOP_WITHIN_S if data else 0)
        supervisor.stop(POSTGRESQL, within_s=STORES_STOP_WITHIN_S)
        supervisor.close()
        os.close(writing)
        os.close(reading)
        shutil.rmtree(sockets, ignore_errors=True)
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _followers(*, search: bool, trips: bool) -> tuple[str, ...]:
    names = ["customer_vehicles"]
    names += ["vehicle_search"] if search else []
    names += ["trips"] if trips else []
    names += ["trip_search"] if search and trips else []
    return tuple(names)


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 # as `signal` calls it
    sys.exit(128 + number)
