"""`make bench-start`: how soon each process of the tracker is ready, and its memory at rest.

One is started at a time, on stores that run; ready is what its own `/health/ready` says. Python's
bytecode is kept, as it is in the images.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import psutil

from bench import report
from bench.deployment import deployed
from bench.run import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.deployment import Deployment

READY_GOAL_S = 1.5
RESTS_S = 2.0
STOPS_WITHIN_S = 10.0
KEEPS_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}


def started(tracker: Deployment, name: str) -> tuple[float, float]:
    """Seconds from its start until it was ready, and the MB that its processes have at rest."""
    began = time.monotonic()
    tracker.start(name)
    tracker.wait_until_ready(name)
    ready_s = time.monotonic() - began
    time.sleep(RESTS_S)
    process = psutil.Process(tracker.supervisor.processes()[name])
    all_of_it = (process, *process.children(recursive=True))
    rss_mb = sum(one.memory_info().rss for one in all_of_it) / 1e6
    tracker.supervisor.stop(name, within_s=STOPS_WITHIN_S)
    return ready_s, rss_mb


def measured(
    tracker: Deployment, times: int, said: Callable[[float, str], None]
) -> dict[str, dict[str, float]]:
    """By process, the medians: `ready_s`, `rss_mb`."""
    found = {}
    for done, name in enumerate(tracker.ports):
        said(done, name)
        ready, rss = zip(*(started(tracker, name) for _ in range(times)), strict=True)
        found[name] = {"ready_s": statistics.median(ready), "rss_mb": statistics.median(rss)}
    said(len(tracker.ports), "")
    return found


def rows(found: dict[str, dict[str, float]]) -> list[dict[str, str]]:
    """The lines of the table."""
    at = "; {:.0f} MB with the fleet"
    return [
        report.row(
            f"{name}: start to ready, memory at rest",
            goal=f"≤ {READY_GOAL_S:g} s",
            reached=f"{one['ready_s']:.2f} s; {one['rss_mb']:.0f} MB"
            + (at.format(one["loaded_mb"]) if "loaded_mb" in one else ""),
        )
        for name, one in found.items()
    ]


@click.command()
@click.option("--times", default=3, show_default=True, help="Of each, the median counts.")
@click.option("--trips/--no-trips", default=True, show_default=True)
@click.option("--search/--no-search", default=True, show_default=True, help="Elasticsearch.")
@click.option(
    "--loaded",
    type=click.Path(path_type=Path),
    default=report.RESULTS / "million.json",
    help="A run whose samples tell the memory of each process under load.",
)
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
def main(times: int, *, trips: bool, search: bool, loaded: Path, out: Path) -> None:
    """Measure start-up and memory of each process."""
    under_load: dict[str, Any] = {}
    if loaded.exists():
        under_load = json.loads(loaded.read_text(encoding="utf-8"))["result"]["max_rss_mb"]
    tracked = deployed(None, search=search, trips=trips, environment=KEEPS_BYTECODE)
    with progress() as bar, tracked as tracker:
        tracker.migrate()
        found = measured(tracker, times, bar("start each process", len(tracker.ports)))
        settings = {**tracker.settings(), "times": times, "loaded": loaded}
    for name, one in found.items():
        if name in under_load:
            one["loaded_mb"] = under_load[name]
    plot = report.Plot(
        "From start to ready",
        "",
        "seconds",
        list(found),
        {"ready": [one["ready_s"] for one in found.values()]},
        bars=True,
    )
    told = {"processes": found, "rows": rows(found)}
    path = report.write("start", told, settings=settings, plot=plot, folder=out)
    lines = {name: f"{one['ready_s']:.2f} s  {one['rss_mb']:.0f} MB" for name, one in found.items()}
    report.show("Start to ready, memory at rest", lines, path)


if __name__ == "__main__":
    main()
