"""A write service of a bench's own, and the fleet that is registered in it."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import click

from bench.deployment import deployed

if TYPE_CHECKING:
    from collections.abc import Iterator

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
def write_service() -> Iterator[Service]:
    """A write service on a PostgreSQL of its own, both stopped and forgotten afterwards."""
    with deployed(None, search=False, ports={"write-service": PORT}) as tracker:
        tracker.start("write-service", "--workers", os.environ.get("WORKERS", "1"))
        tracker.wait_until_ready("write-service")
        yield Service(PORT, tracker.supervisor.processes()["write-service"], tracker.url)


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
