"""`make bench`: durable heartbeats a second through the write service, as users run it."""

from __future__ import annotations

import json
from itertools import count

import click

from bench import load
from bench.writing import PORT, heartbeat, register_fleet, write_service


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

    with write_service():
        register_fleet()
        load.run(PORT, connections, 2, single)
        measured = load.run(PORT, connections, seconds, single)
        report(f"one a request, {connections} connections", measured, 1)
        prepared = iter([batch() for _ in range(int(seconds * 120))])
        measured = load.run(PORT, 4, seconds, lambda: next(prepared, None))
        report("batches of 500, 4 connections", measured, 500)


if __name__ == "__main__":
    main()
