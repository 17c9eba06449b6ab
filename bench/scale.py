"""`make bench-scale`: what a heartbeat costs at ten thousand, a hundred thousand and a million.

Each fleet sends at the same rate, so that the work a heartbeat is the same: a small fleet's rounds
are shorter, and so is the limit of its silence. Of each run the CPU of every process is divided by
the heartbeats, that of the load generator left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench import report
from bench.deployment import deployed
from bench.figures import figures
from bench.run import Traffic, measure, prepare, progress

SIZES = (10_000, 100_000, 1_000_000)
MOST_MORE = 0.20
OWN = ("load generator", "dashboards", "bench", "postgresql: bench", "guardian")
LIMIT_IN_ROUNDS = 2
SETTLES_S = 10.0
"""So long after its start a small fleet with its short limit still connects again."""


def cost(told: dict[str, Any]) -> dict[str, float]:
    """Microseconds of CPU a heartbeat by process, without the bench's own."""
    return {name: us for name, us in told["cpu_us_a_heartbeat"].items() if name not in OWN}


def rows(by_size: dict[int, dict[str, float]]) -> list[dict[str, str]]:
    """The lines of the table."""
    totals = {vehicles: sum(costs.values()) for vehicles, costs in by_size.items()}
    first = next(iter(totals.values()))
    found = []
    for vehicles, us in totals.items():
        more = us / first - 1
        goal = f"≤ {MOST_MORE:+.0%}" if us is not first else ""
        reached = f"{us:.0f} µs ({more:+.0%})"
        found.append(report.row(f"CPU a heartbeat, {vehicles:,}", goal=goal, reached=reached))
    return found


def plot(by_size: dict[int, dict[str, float]]) -> report.Plot:
    """By process, on top of each other."""
    names = dict.fromkeys(name for costs in by_size.values() for name in costs)
    series = {name: [costs.get(name, 0.0) for costs in by_size.values()] for name in names}
    sizes = [f"{vehicles:,}" for vehicles in by_size]
    return report.Plot("CPU a heartbeat", "vehicles", "microseconds", sizes, series, bars=True)


@click.command()
@click.option("--sizes", multiple=True, type=int, default=SIZES, show_default=True)
@click.option("--rate", default=8_000.0, show_default=True, help="Heartbeats a second.")
@click.option("--minutes", default=2.0, show_default=True, help="Of each run.")
@click.option("--trips/--no-trips", default=False, show_default=True, help="Follow trips, too.")
@click.option("--search/--no-search", default=True, show_default=True, help="Elasticsearch.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep the fleets here.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
def main(**options: Any) -> None:
    """Measure CPU a heartbeat at several sizes of the fleet."""
    rate, data = options["rate"], options["data"]
    told: dict[int, dict[str, Any]] = {}
    settings: dict[str, Any] = {}
    for vehicles in options["sizes"]:
        limit_s = max(1, round(LIMIT_IN_ROUNDS * vehicles / rate))
        folder = data / str(vehicles) if data else None
        limit = {"DISCONNECT_AFTER_S": str(limit_s)}
        stores = {"search": options["search"], "trips": options["trips"]}
        with progress() as bar, deployed(folder, **stores, environment=limit) as tracker:
            traffic, seconds = Traffic(vehicles, rate), 60 * options["minutes"]
            prepare(tracker, bar, traffic)
            run = measure(tracker, bar, traffic, seconds=seconds, skip_s=SETTLES_S)
            settings = {**tracker.settings(), **options}
        told[vehicles] = figures(run)
    by_size = {vehicles: cost(one) for vehicles, one in told.items()}
    table = rows(by_size)
    result = {"runs": told, "cpu_us_a_heartbeat": by_size, "rows": table}
    path = report.write(
        "scale", result, settings=settings, plot=plot(by_size), folder=options["out"]
    )
    lines = {one["what"]: one["reached"] for one in table}
    report.show(f"{rate:,.0f} heartbeats/s", lines, path)


if __name__ == "__main__":
    main()
