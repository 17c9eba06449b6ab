"""How fast a read model is built anew from a log of ten million heartbeats.

`make bench-rebuild ARGS="--vehicles 1000000"`. With `--data` the log is made once and used again.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import click
import psycopg

from bench.deployment import deployed
from bench.prepared_log import make_log
from bench.report import row, show, write
from projections import create_app
from projections.catalog import read_model
from projections.database import db
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.settings import Settings

GOAL = 100_000
"""Events a second."""


def rebuild(url: str, name: str) -> dict[str, Any]:
    """Rebuild a read model of a prepared log, with a progress bar; what it took."""
    os.environ |= {"EVENT_LOG_URL": url, "DATABASE_URL": url, "ELASTICSEARCH_URL": ""}
    settings = replace(Settings.from_environment(), log_level="WARNING")
    with create_app(settings).app_context(), EventLog(url) as log:
        work = read_model(name, settings, log)
        head = log.head()
        before = _wal(url)
        began, used = time.perf_counter(), time.process_time()
        with click.progressbar(length=head, label=f"Rebuilding {name}") as bar:

            def say(position: int, _: int) -> None:
                bar.update(position - bar.pos)

            rebuilding = work.rebuild(log, db.engine, settings, settings.follower_page)
            rebuilding.run(say, Event())
        took_s, used_s = time.perf_counter() - began, time.process_time() - used
        db.engine.dispose()
    return {
        "projection": name,
        "events": head,
        "seconds": round(took_s, 1),
        "events_per_second": round(head / took_s),
        "python_cpu_seconds": round(used_s, 1),
        "python_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "wal_bytes_per_event": round((_wal(url) - before) / head, 1),
    }


def _wal(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    return int(row[0]) if row else 0


@click.command()
@click.option("--vehicles", default=100_000, show_default=True)
@click.option("--heartbeats", default=10_000_000, show_default=True)
@click.option("--projection", "names", multiple=True, default=["customer_vehicles"])
@click.option("--data", type=click.Path(path_type=Path), help="Where the log is kept.")
def main(vehicles: int, heartbeats: int, names: tuple[str, ...], data: Path | None) -> None:
    """Make the log, unless it is there, and rebuild read models from it."""
    folder = data and data / f"{vehicles}-{heartbeats}"
    with deployed(folder, search=False) as tracker:
        tracker.migrate()
        with click.progressbar(length=vehicles + heartbeats, label="Making the log") as bar:
            make_log(tracker.url, vehicles, heartbeats, lambda count: bar.update(count - bar.pos))
        found = [rebuild(tracker.url, name) for name in names]
        settings = {"vehicles": vehicles, "heartbeats": heartbeats, **tracker.settings()}
    rows = [
        row(
            f"{one['projection']} rebuilt, events a second",
            goal=f"{GOAL:,}",
            reached=f"{one['events_per_second']:,}",
        )
        for one in found
    ]
    path = write("rebuild", {"rebuilt": found, "rows": rows}, settings=settings)
    for one in found:
        show(f"{one['projection']}, {vehicles:,} vehicles", one, path)


if __name__ == "__main__":
    main()
