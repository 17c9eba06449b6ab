"""`make bench-million`: a fleet of a million on this machine, everything durable and projected.

Gateways post the fleet's heartbeats, one a vehicle and minute, while both read models and the
connection monitor follow; in the end the read models must be what the log says.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench import report
from bench.deployment import STOPS_WITHIN_S, deployed
from bench.figures import figures, summary
from bench.lag import Lag
from bench.run import Traffic, measure, prepare, progress
from bench.statuses import statuses
from bench.truth import Truth
from vehicle_tracker.event_log import EventLog

if TYPE_CHECKING:
    from bench.deployment import Deployment
    from bench.run import Run

MINUTE_S = 60.0
RATE_GOAL, LAG_GOAL_S, SEARCH_GOAL_S, PYTHON_GOAL_MB = 1 / 60, 5.0, 0.150, 500
NOT_PYTHON = ("postgresql", "elasticsearch")


def checked(tracker: Deployment, bar: Any, truth: Truth, since: int) -> dict[str, Any]:
    """Compare both read models with the fold of the log; `errors` is empty if they are equal.

    `heartbeats_in_log` counts those after the position `since`.
    """
    lag = Lag(tracker.ports["read-service"], tracker.followers)
    with EventLog(tracker.url) as log:
        position = log.head()
        # While the statuses differ: soon nobody is heard any more. The monitor need not tell that,
        # so the fleet is still connected when it is posted again.
        shown = statuses(lag.port, position)
        tracker.supervisor.stop("connection-monitor", within_s=STOPS_WITHIN_S)
        truth.fold(log, position, since, bar("check against the log", position))
    errors = [str(one) for one in truth.differences(tracker.url)]
    errors += [f"{name} parked {count}" for name, count in lag.parked().items() if count]
    errors += shown.errors(truth, by_verdicts=bool(tracker.elasticsearch))
    return {
        "position": position,
        "heartbeats_in_log": truth.heartbeats,
        "events": truth.counts,
        "statuses": shown.told,
        "errors": errors,
    }


def rows(rate: float, told: dict[str, Any]) -> list[dict[str, str]]:
    """The lines of the table."""
    lag = max((one["p99"] for one in told["lag_s"].values()), default=0.0)
    python = {n: mb for n, mb in told["max_rss_mb"].items() if not n.startswith(NOT_PYTHON)}
    largest = max(python, key=python.__getitem__)
    check = told["check"]
    equal = "not checked" if check is None else "no" if check["errors"] else "yes"
    found = [
        report.row(
            "heartbeats/s accepted",
            goal=f"{rate:,.0f}",
            reached=f"{told['accepted_per_s']:,.0f}",
        ),
        report.row("lag p99", goal=f"≤ {LAG_GOAL_S:g} s", reached=f"{lag:.1f} s"),
        report.row(
            "accepted = generated",
            goal="yes",
            reached="yes" if told["accepted_is_generated"] else "no",
        ),
        report.row("read models = fold of the log", goal="yes", reached=equal),
        report.row(
            "largest Python process",
            goal=f"≤ {PYTHON_GOAL_MB} MB",
            reached=f"{python[largest]:.0f} MB ({largest})",
        ),
        report.row(
            "CPU a heartbeat, all in all",
            goal="120 µs",
            reached=f"{told['cpu_us_a_heartbeat_in_all']:.0f} µs",
        ),
    ]
    if told.get("search_s"):
        found.append(
            report.row(
                "search p99 through HTTP",
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
    traffic = Traffic(vehicles, rate, options["searchers"], options["search_every"])
    limit_s = max(120, round(2 * vehicles / rate))
    began = time.monotonic()
    stores = {"search": options["search"], "trips": options["trips"]}
    limit = {"DISCONNECT_AFTER_S": str(limit_s)}
    with progress() as bar, deployed(options["data"], **stores, environment=limit) as tracker:
        prepared_s = prepare(tracker, bar, traffic, write_workers=options["write_workers"])
        ready_s = time.monotonic() - began
        with EventLog(tracker.url) as log:
            since = log.head()
        run = measure(tracker, bar, traffic, seconds=seconds)
        told = {**figures(run), "rates": run.rates, "prepared_s": ready_s, "filled_s": prepared_s}
        told["check"] = None
        if options["check"]:
            told["check"] = check = checked(tracker, bar, Truth(vehicles, limit_s), since)
            if check["heartbeats_in_log"] != run.posted.accepted:
                check["errors"].append(f"{check['heartbeats_in_log']:,} heartbeats are in the log")
        settings = {**tracker.settings(), **options, "rate": rate, "disconnect_after_s": limit_s}
    told["rows"] = rows(rate, told)
    path = report.write(
        options["name"], told, settings=settings, plot=plot(run), folder=options["out"]
    )
    report.show(f"{vehicles:,} vehicles, {rate:,.0f} heartbeats/s", summary(told), path)


if __name__ == "__main__":
    main()
