"""How fast a read model is built anew from a log of ten million heartbeats.

`python -m bench.rebuild --vehicles 100000`: a PostgreSQL of its own, with the settings of
`make run`. With `--folder` the log is made once and used again.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click
import psycopg
from flask_migrate import upgrade

from bench.prepared_log import make_log
from embedded.postgresql import NAME as POSTGRESQL
from embedded.postgresql import PostgreSQL
from embedded.supervisor import Supervisor
from projections import create_app
from projections.catalog import projections_of
from projections.database import db
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.catalog import ReadModel

STOPS_WITHIN_S = 30


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """PostgreSQL on a folder, as `make run` starts it; its address."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vt-", ignore_cleanup_errors=True) as sockets:
        supervisor = Supervisor(folder)
        server = PostgreSQL(folder / "pg", Path(sockets))
        try:
            server.create(supervisor)
            server.start(supervisor, lambda: click.echo("PostgreSQL recovers from a crash"))
            yield server.url
        finally:
            supervisor.stop(POSTGRESQL, within_s=STOPS_WITHIN_S)
            supervisor.close()


def rebuild(url: str, name: str) -> dict[str, Any]:
    """Rebuild a read model of a prepared log, with a progress bar; what it took."""
    settings = replace(
        Settings.from_environment(), event_log_url=url, database_url=url, log_level="WARNING"
    )
    with create_app(settings).app_context(), EventLog(url) as log:
        upgrade()
        work: ReadModel = projections_of(settings)[name]
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
@click.option("--folder", type=click.Path(path_type=Path), help="Where the log is kept.")
def main(vehicles: int, heartbeats: int, names: tuple[str, ...], folder: Path | None) -> None:
    """Make the log, unless it is there, and rebuild read models from it."""
    with tempfile.TemporaryDirectory(prefix="vt-bench-", ignore_cleanup_errors=True) as scratch:
        data = (folder or Path(scratch)).absolute() / f"{vehicles}-{heartbeats}"
        with postgresql(data) as url:
            with click.progressbar(length=vehicles + heartbeats, label="Making the log") as bar:
                make_log(url, vehicles, heartbeats, lambda count: bar.update(count - bar.pos))
            for name in names:
                figures = rebuild(url, name)
                for what, value in figures.items():
                    click.echo(f"{what:22} {value:,}" if value != name else f"\n{name}")


if __name__ == "__main__":
    os.environ.setdefault("ELASTICSEARCH_URL", "")
    main()
