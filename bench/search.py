"""How fast vehicles are found, how much of that is ours, and how fast the index is filled.

`python -m bench.search --vehicles 1000000`. With ELASTICSEARCH_URL set that server is used, else
one is provisioned. Four at once ask over loopback a read service on stores as `make run` has them,
when the index is merged and all was asked before: first of a fleet that stands still, then while
some vehicles change all the time.
"""

from __future__ import annotations

import os
import time
import urllib.request
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from bench import load, report
from bench.deployment import deployed
from bench.search_fleet import fill_tables, stir
from bench.search_floor import floor_ms
from bench.search_questions import questions
from projections import create_app as create_projections
from projections.catalog import VEHICLE_SEARCH
from projections.database import db
from projections.elasticsearch import connect
from projections.indexes import vehicle_search
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from elasticsearch import Elasticsearch

    from bench.deployment import Deployment

AT_ONCE = 4
PAGES_DEEP = 10
MOST_MERGING_S = 180
PLOTTED = ("p50_ms", "p99_ms", "changing_p50_ms", "changing_p99_ms")


@click.command()
@click.option("--vehicles", default=100_000, show_default=True)
@click.option("--seconds", default=4.0, show_default=True, help="How long each question is asked.")
@click.option("--changes", default=1_000, show_default=True, help="Vehicles that change a second.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
def main(vehicles: int, seconds: float, changes: int, out: Path) -> None:
    """Fill the tables and the index, then ask."""
    with deployed(None, environment={"LOG_LEVEL": "WARNING"}) as tracker:
        os.environ |= tracker.where
        tracker.migrate()
        result = measure(tracker, vehicles, seconds, changes)
        settings = {**tracker.settings(), "changes_a_second": changes, "seconds": seconds}
    asked: dict[str, dict[str, float]] = result["questions"]
    plot = report.Plot(
        f"Four at once, {vehicles:,} vehicles",
        "",
        "ms",
        list(asked),
        {name: [one[name] for one in asked.values()] for name in PLOTTED},
    )
    name = f"search-{vehicles}"
    told = {**result, "rows": rows(result)}
    path = report.write(name, told, settings=settings, plot=plot, folder=out)
    lines = {name: " / ".join(str(one[what]) for what in PLOTTED) for name, one in asked.items()}
    title = (
        f"{AT_ONCE} at once, {vehicles:,} vehicles, p50 / p99 ms; then while {changes:,} change/s"
    )
    report.show(title, lines, path)


def rows(result: dict[str, Any]) -> list[dict[str, str]]:
    """What must be reached at a million vehicles, and what was."""
    vehicles, asked = result["vehicles"], result["questions"]
    p99, slowest = max((one["p99_ms"], name) for name, one in asked.items())
    changing, slower = max((one["changing_p99_ms"], name) for name, one in asked.items())
    ours = [(one["alone_p50_ms"] - one["alone_mean_took_ms"], n) for n, one in asked.items()]
    told = " to ".join(f"{ms:.1f} ms ({name})" for ms, name in (min(ours), max(ours)))
    floor = sum(result["floor_ms"].values())
    found = {
        "p99, the slowest question": ("60 ms", f"{p99} ms ({slowest})"),
        f"p99, {result['changes_a_second']:,} change/s": ("60 ms", f"{changing} ms ({slower})"),
        "ours, alone, on top of `took`": ("5 ms", f"{told}; its parts alone {floor:.1f} ms"),
        "index filled": ("120 s", f"{result['index_filled_s']} s"),
    }
    return [
        report.row(f"search, {vehicles:,} vehicles: {what}", goal=f"≤ {goal}", reached=reached)
        for what, (goal, reached) in found.items()
    ]


def measure(tracker: Deployment, vehicles: int, seconds: float, changes: int) -> dict[str, Any]:
    """The figures: how long filling took, and by question the latencies in milliseconds."""
    fill_rows(vehicles)
    return {
        "vehicles": vehicles,
        "at_once": AT_ONCE,
        "changes_a_second": changes,
        **fill_index(),
        **ask(tracker, vehicles, seconds, changes),
    }


def fill_rows(vehicles: int) -> None:
    """Fill the tables."""
    settings = Settings.from_environment()
    with EventLog(settings.event_log_url), create_projections(settings).app_context():
        fill_tables(db.engine, settings.event_log_url, vehicles)


def fill_index() -> dict[str, Any]:
    """How long it took to fill the index beside and swap it, and how large it is."""
    settings = Settings.from_environment()
    with (
        EventLog(settings.event_log_url) as log,
        connect(settings.elasticsearch_url, 60) as client,
        create_projections(settings).app_context(),
    ):
        began = time.perf_counter()
        rebuild = vehicle_search(client).rebuild(log, db.engine, settings, settings.follower_page)
        if not rebuild.run(lambda *_: None, Event()):
            raise RuntimeError("the index was not filled")
        took_s = time.perf_counter() - began
        store = client.indices.stats(index=VEHICLE_SEARCH, metric="store")["_all"]["primaries"]
    return {
        "index_filled_s": round(took_s, 1),
        "index_bytes": store["store"]["size_in_bytes"],
    }


def ask(tracker: Deployment, vehicles: int, seconds: float, changes: int) -> dict[str, Any]:
    """By question the latencies in milliseconds: of a fleet that rests, and one that changes.

    Beside them `floor_ms`, of the parts of what is ours.
    """
    tracker.start("read-service")
    tracker.wait_until_ready("read-service")
    port = tracker.ports["read-service"]
    asked = questions(vehicles, _deep_cursor(port))
    _warm_up(port, seconds, asked)
    told = {name: _asked(port, seconds, one) for name, one in asked.items()}
    floor = floor_ms(port, vehicles)
    with _stirred(vehicles, changes):
        for name, one in asked.items():
            changing = _four_at_once(port, seconds, one)
            told[name] |= {f"changing_{what}": value for what, value in changing.items()}
    return {"questions": told, "floor_ms": floor}


def _warm_up(port: int, seconds: float, asked: dict[str, Callable[[], str]]) -> None:
    """Wait until the index is merged, then ask everything once: Java compiles what is asked.

    Right after its start Elasticsearch takes up to ten times the CPU for the same search.
    """
    until = time.monotonic() + MOST_MERGING_S
    with connect(Settings.from_environment().elasticsearch_url, 60) as client:
        while _merging(client) and time.monotonic() < until:
            time.sleep(1)
    for question in asked.values():
        _measured(port, AT_ONCE, seconds, question)


def _merging(client: Elasticsearch) -> bool:
    stats = client.indices.stats(index=VEHICLE_SEARCH, metric="merge")
    return bool(stats["_all"]["primaries"]["merges"]["current"])


@contextmanager
def _stirred(vehicles: int, changes: int) -> Iterator[None]:
    """In a process of its own, as the follower is."""
    if not changes:
        yield
        return
    process = get_context("spawn").Process(target=_stir, args=(vehicles, changes), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _stir(vehicles: int, changes: int) -> None:
    settings = Settings.from_environment()
    with (
        connect(settings.elasticsearch_url, 60) as client,
        create_projections(settings).app_context(),
    ):
        stir(db.engine, vehicle_search(client), vehicles, changes, Event())


def _got(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        body: bytes = answer.read()
        return body


def _deep_cursor(port: int) -> str:
    cursor = ""
    for _ in range(PAGES_DEEP):
        path = f"/api/v1/vehicles?limit=500{cursor and '&cursor='}{cursor}"
        page = msgspec.json.decode(_got(port, path))
        cursor = page["next_cursor"] or ""
    return cursor


def _asked(port: int, seconds: float, question: Callable[[], str]) -> dict[str, float]:
    four = _four_at_once(port, seconds, question)
    before = _took_ms(port)
    alone = _measured(port, 1, seconds / 2, question)
    took = (_took_ms(port) - before) / len(alone.latencies)
    return {
        **four,
        "alone_p50_ms": round(alone.percentile(0.5), 1),
        "alone_mean_took_ms": round(took, 1),
    }


def _four_at_once(port: int, seconds: float, question: Callable[[], str]) -> dict[str, float]:
    _measured(port, AT_ONCE, seconds / 4, question)
    many = _measured(port, AT_ONCE, seconds, question)
    return {
        "p50_ms": round(many.percentile(0.5), 1),
        "p99_ms": round(many.percentile(0.99), 1),
        "a_second": round(many.requests_per_second, 1),
    }


def _measured(
    port: int, clients: int, seconds: float, question: Callable[[], str]
) -> load.Measured:
    def request() -> bytes:
        return load.get(quote(f"/api/v1/vehicles?{question()}", safe="/?&=,.-_"))

    asked = load.run(port, clients, seconds, request)
    if {*asked.statuses} != {200}:
        raise RuntimeError(f"{question()}: {asked.statuses}")
    return asked


def _took_ms(port: int) -> float:
    """What Elasticsearch said so far that searches took it: it has no percentiles of that."""
    told = _got(port, "/metrics").decode()
    families = text_string_to_metric_families(told)
    (took,) = (one for one in families if one.name == "elasticsearch_took_seconds")
    return 1_000 * sum(one.value for one in took.samples if one.name.endswith("_sum"))


if __name__ == "__main__":
    main()
