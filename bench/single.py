"""`make bench-single`: durable heartbeats a second, one a request, as many vehicles send them.

`wrk` keeps so many connections open; on each it sends the next heartbeat as soon as the last one
was answered. It shares the machine with what it loads. Every answer must be 202.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import click

from bench import report
from bench.writing import START, VEHICLES, register_fleet, write_service

GOALS = {"64 connections": "3,000/s (goal 3,600/s), p99 50 ms"}
SCRIPT = Path(__file__).with_suffix(".lua")
PAUSE_S = 0.5
"""Whom wrk leaves behind is answered still, and until then holds its share of the requests."""


def load(port: int, connections: int, seconds: float, first: int) -> dict[str, float]:
    """What wrk saw of one run. `sent` is the number of the first heartbeat that was not sent."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise click.ClickException("bench-single needs wrk: apt-get install wrk")
    command = [wrk, "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds:g}s", "--timeout", "30s", "--script", str(SCRIPT)]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
        env={**os.environ, "START": str(START), "FIRST": str(first)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    seen: dict[str, float] = json.loads(said.partition("RESULT ")[2])
    refused, errors = seen.pop("refused"), seen.pop("socket_errors")
    if refused or errors:
        raise click.ClickException(f"not all were accepted: {refused}{errors} socket errors")
    return {**seen, "rate": seen["requests"] / seen["seconds"]}


def measure(connections: list[int], seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """For each number of connections the medians of its rounds, which take turns."""
    runs: dict[int, list[dict[str, float]]] = {number: [] for number in connections}
    with write_service() as service:
        register_fleet()
        warm = load(service.port, max(connections), 3, 0)
        first = int(warm["sent"])
        for _ in range(rounds):
            for number in connections:
                time.sleep(PAUSE_S)
                seen = load(service.port, number, seconds, first)
                first = int(seen["sent"])
                runs[number].append(seen)
    return {
        str(number): {
            figure: statistics.median(run[figure] for run in of_number)
            for figure in ("rate", "p50_ms", "p90_ms", "p99_ms", "max_ms")
        }
        for number, of_number in runs.items()
    }


@click.command()
@click.option("--connections", multiple=True, default=(16, 64, 256), show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="How long each round runs.")
@click.option("--rounds", default=3, show_default=True, help="Medians are of so many.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
def main(connections: tuple[int, ...], seconds: float, rounds: int, out: Path) -> None:
    """Measure durable heartbeats a second, one a request."""
    figures = measure(list(connections), seconds, rounds)
    said = {
        f"{number} connections": f"{seen['rate']:,.0f} heartbeats/s, p50 {seen['p50_ms']:.1f} ms,"
        f" p99 {seen['p99_ms']:.1f} ms, max {seen['max_ms']:.1f} ms"
        for number, seen in figures.items()
    }
    rows = [
        report.row(f"one a request, {what}", goal=GOALS.get(what, "-"), reached=reached)
        for what, reached in said.items()
    ]
    plot = report.Plot(
        "Durable heartbeats a second, one a request",
        "connections",
        "heartbeats/s",
        list(figures),
        {"heartbeats/s": [seen["rate"] for seen in figures.values()]},
        bars=True,
    )
    settings = {"vehicles": VEHICLES, "seconds": seconds, "rounds": rounds}
    result = {"connections": figures, "rows": rows}
    path = report.write("single", result, settings=settings, plot=plot, folder=out)
    report.show("One heartbeat a request", said, path)


if __name__ == "__main__":
    main()
