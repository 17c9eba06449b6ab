"""`make bench-million`: a fleet of a million on this machine, everything durable and projected.

Gateways post the fleet's heartbeats, one a vehicle and minute, while both read models and the
connection monitor follow; in the end the read models must be what the log says.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench import report
from bench.deployment import deployed
from bench.lag import Lag
from bench.run import measure, prepare, progress
from bench.statuses import statuses
from bench.truth import Truth
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.event_log import EventLog

if TYPE_CHECKING:
    from bench.deployment import Deployment
    from bench.run import Run

MINUTE_S = 60.0
RATE_GOAL, LAG_GOAL_S, SEARCH_GOAL_S, PYTHON_GOAL_MB = 1 / 60, 5.0, 0.150, 500
NOT_PYTHON = ("postgresql", "elasticsearch")


def figures(run: Run) -> dict[str, Any]:
    """What a run says, as plain figures: seconds, MB, and microseconds of CPU a heartbeat."""
    posted, usage = run.posted, run.usage
    heartbeats = posted.accepted
    cpu = usage.cpu_s()
    lag = run.lag.percentiles()
    told = {
        "accepted_per_s": heartbeats / posted.seconds,
        "heartbeats": {k: v for k, v in asdict(posted).items() if not isinstance(v, list)},
        "accepted_is_generated": posted.is_whole,
        "post_s_from_due": report.percentiles(posted.latencies),
        "post_s_from_sent": report.percentiles(posted.service),
        "lag_s": lag,
        "caught_up_s": run.caught_up_s,
        "cpu_us_a_heartbeat": {name: 1e6 * s / heartbeats for name, s in cpu.items()},
        "cpu_us_a_heartbeat_in_all": 1e6 * sum(cpu.values()) / heartbeats,
        "machine": usage.machine(),
        "max_rss_mb": usage.rss_mb(),
        "disk": run.after.since(run.before, heartbeats),
    }
    if run.asked:
        told["search_s"] = report.percentiles(run.asked.all)
        told["search_s_by_kind"] = {
            kind: {"n": len(some), **report.percentiles(some)}
            for kind, some in sorted(run.asked.seconds.items())
        }
        told["searches_failed"] = run.asked.failed
    return told


def checked(tracker: Deployment, vehicles: int, limit_s: int, bar: Any) -> dict[str, Any]:
    """Compare both read models with the fold of the log; `errors` is empty if they are equal."""
    lag = Lag(tracker.ports["read-service"], tracker.followers)
    with EventLog(tracker.url) as log:
        position = log.head()
        # While the statuses differ: soon nobody is heard any more.
        shown = statuses(lag.port, position)
        truth = Truth(vehicles)
        said = bar("check against the log", position)
        truth.fold(log, position, said)
    errors = [str(one) for one in truth.differences(tracker.url)]
    errors += [f"{name} parked {count}" for name, count in lag.parked().items() if count]
    errors += shown.errors(truth, limit_s)
    return {
        "position": position,
        "heartbeats_in_log": truth.counts.get(HeartbeatRecorded.TOPIC, 0),
        "events": truth.counts,
        "statuses": shown.told,
        "errors": errors,
    }


def rows(name: str, vehicles: int, told: dict[str, Any]) -> list[dict[str, str]]:
    """The lines of the table."""
    lag = max((one["p99"] for one in told["lag_s"].values()), default=0.0)
    python = {n: mb for n, mb in told["max_rss_mb"].items() if not n.startswith(NOT_PYTHON)}
    largest = max(python, key=python.__getitem__)
    check = told["check"]
    equal = "not checked" if check is None else "no" if check["errors"] else "yes"
    found = [
        report.row(
            f"{name}: heartbeats/s accepted",
            goal=f"{vehicles * RATE_GOAL:,.0f}",
            reached=f"{told['accepted_per_s']:,.0f}",
        ),
        report.row(f"{name}: lag p99", goal=f"≤ {LAG_GOAL_S:g} s", reached=f"{lag:.1f} s"),
        report.row(
            f"{name}: accepted = generated",
            goal="yes",
            reached="yes" if told["accepted_is_generated"] else "no",
        ),
        report.row(f"{name}: read models = fold of the log", goal="yes", reached=equal),
        report.row(
            f"{name}: largest Python process",
            goal=f"≤ {PYTHON_GOAL_MB} MB",
            reached=f"{python[largest]:.0f} MB ({largest})",
        ),
        report.row(
            f"{name}: CPU a heartbeat, all in all",
            goal="120 µs",
            reached=f"{told['cpu_us_a_heartbeat_in_all']:.0f} µs",
        ),
    ]
    if told.get("search_s"):
        found.append(
            report.row(
                f"{name}: search p99 through HTTP",
                goal=f"≤ {1_000 * SEARCH_GOAL_S:.0f} ms",
                reached=f"{1_000 * told['search_s']['p99']:.0f} ms",
            )
        )
    return found


def plot(run: Run) -> report.Plot:
    """The lag of each read model over time."""
    began = run.lag.at[0] if run.lag.at else 0.0
    return report.Plot(
        "How far the read models are behind the log",
        "seconds",
        "seconds",
        [f"{at - began:.0f}" for at in run.lag.at],
        run.lag.seconds,
    )


def summary(told: dict[str, Any]) -> dict[str, object]:
    """The lines that a person wants first."""
    due, sent = told["post_s_from_due"], told["post_s_from_sent"]
    lines: dict[str, object] = {
        "accepted": f"{told['accepted_per_s']:,.0f} heartbeats/s",
        "due and not sent": f"{told['heartbeats']['not_sent']:,} requests",
        "POST from due": f"p50 {1e3 * due['p50']:,.0f} ms   p99 {1e3 * due['p99']:,.0f} ms",
        "POST from sent": f"p50 {1e3 * sent['p50']:,.0f} ms   p99 {1e3 * sent['p99']:,.0f} ms",
    }
    for name, lag in told["lag_s"].items():
        lines[f"lag of {name}"] = f"p50 {lag['p50']:.1f} s   p99 {lag['p99']:.1f} s"
    lines["caught up after"] = f"{told['caught_up_s']:.1f} s"
    if told.get("search_s"):
        one = told["search_s"]
        lines["search"] = f"p50 {1e3 * one['p50']:,.0f} ms   p99 {1e3 * one['p99']:,.0f} ms"
    for name, us in told["cpu_us_a_heartbeat"].items():
        lines[f"CPU, {name}"] = f"{us:6.1f} µs a heartbeat, {told['max_rss_mb'][name]:,.0f} MB"
    lines["CPU, all in all"] = f"{told['cpu_us_a_heartbeat_in_all']:6.1f} µs a heartbeat"
    disk = told["disk"]
    lines["log"] = (
        f"{disk['log_bytes_a_heartbeat']:.0f} bytes a heartbeat, indexes"
        f" {disk['log_index_bytes_a_heartbeat']:.0f}, WAL {disk['wal_bytes_a_heartbeat']:.0f}"
    )
    if check := told["check"]:
        lines["read models = fold of the log"] = "; ".join(check["errors"]) or "yes"
    return lines


@click.command()
@click.option("--vehicles", default=1_000_000, show_default=True, help="A multiple of 1,000.")
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--rate", type=float, help="Heartbeats a second; else one a vehicle and minute.")
@click.option("--searchers", default=0, show_default=True, help="Dashboards that search meanwhile.")
@click.option("--search-every", default=5.0, show_default=True, help="Seconds, of each of them.")
@click.option("--trips/--no-trips", default=False, show_default=True, help="Follow trips, too.")
@click.option("--search/--no-search", default=True, show_default=True, help="Elasticsearch.")
@click.option("--write-workers", default=1, show_default=True)
@click.option(
    "--check/--no-check", default=True, show_default=True, help="Fold the log at the end."
)
@click.option("--data", type=click.Path(path_type=Path), help="Keep the fleet here for next time.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
@click.option("--name", default="million", show_default=True, help="What the results are called.")
def main(**options: Any) -> None:
    """Measure a fleet at the pace of one heartbeat a vehicle and minute."""
    vehicles, seconds = options["vehicles"], MINUTE_S * options["minutes"]
    rate = options["rate"] or vehicles * RATE_GOAL
    limit_s = max(120, round(2 * vehicles / rate))
    began = time.monotonic()
    stores = {"search": options["search"], "trips": options["trips"]}
    limit = {"DISCONNECT_AFTER_S": str(limit_s)}
    with progress() as bar, deployed(options["data"], **stores, environment=limit) as tracker:
        prepared_s = prepare(tracker, vehicles, bar, write_workers=options["write_workers"])
        ready_s = time.monotonic() - began
        run = measure(
            tracker,
            bar,
            vehicles=vehicles,
            rate=rate,
            seconds=seconds,
            searchers=options["searchers"],
            search_every_s=options["search_every"],
        )
        told = {**figures(run), "rates": run.rates, "prepared_s": ready_s, "filled_s": prepared_s}
        told["check"] = checked(tracker, vehicles, limit_s, bar) if options["check"] else None
        settings = {**tracker.settings(), **options, "rate": rate, "disconnect_after_s": limit_s}
    told["rows"] = rows(options["name"], vehicles, told)
    path = report.write(
        options["name"], told, settings=settings, plot=plot(run), folder=options["out"]
    )
    report.show(f"{vehicles:,} vehicles, {rate:,.0f} heartbeats/s", summary(told), path)


if __name__ == "__main__":
    main()
