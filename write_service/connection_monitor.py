"""The connection monitor: `python -m write_service.connection_monitor`.

One is active, others stand by. It looks at the log a few times a second and lets the judge append
what follows; now and then it keeps a checkpoint, which is all that it needs of its past.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.ending import told_to_stop
from vehicle_tracker.errors import Unavailable
from vehicle_tracker.event_log import LOG_UNREACHABLE, EventLog
from vehicle_tracker.health_port import serve_health
from vehicle_tracker.judged_until import JudgedUntil
from vehicle_tracker.resilience import until_stopped
from vehicle_tracker.settings import Settings
from vehicle_tracker.starting import let_requests_go_first, open_log
from vehicle_tracker.telemetry import configure_logging
from vehicle_tracker.telemetry import log as logger
from write_service.connection_judge import QUIET, ConnectionJudge
from write_service.monitor_checkpoint import NEVER, Checkpoints, active_monitor
from write_service.monitor_clock import JudgingClock
from write_service.monitor_health import MonitorHealth

if TYPE_CHECKING:
    from threading import Event

BEAT_S = 0.2
"""How often it looks. Woken by every commit it would read many small pages."""

TELLS_EVERY_S = 0.5
"""So often it keeps how far it has judged: searches answer as of then."""

KEEPS_EVERY_S = 60.0
KEEPS_FOR_AT_MOST = 0.01
"""The share of its time that it may spend on checkpoints, however large the fleet."""

MAY_PASS = (*LOG_UNREACHABLE, psycopg.Error, Unavailable)
"""What it meets while PostgreSQL, or a file of the archive, is away."""


def monitor(log: EventLog, settings: Settings, stop: Event) -> None:
    """Be the active monitor, or stand by for it, until `stop` is set.

    While PostgreSQL is away it tries again, ever less often, and then goes on from what was kept.
    """
    health = MonitorHealth(settings.most_lag_s)
    serve_health("connection monitor", settings, {"event_log": log.head, "judging": health.check})

    def work() -> None:
        health.stands_by()
        with active_monitor(settings.event_log_url, stop) as connected:
            if not stop.is_set():
                health.begins()
                _be_active(log, settings, stop, connected, health)

    until_stopped("connection monitor", stop, work, MAY_PASS)


def _be_active(
    log: EventLog,
    settings: Settings,
    stop: Event,
    connected: psycopg.Connection,
    health: MonitorHealth,
) -> None:
    log.drop_lost_connections()
    checkpoints, judged_until = Checkpoints(connected), JudgedUntil(connected)
    kept = checkpoints.load(settings.disconnect_after_s, log.head())
    logger.info("connection monitor active", vehicles=len(kept.fleet.vehicles), after=kept.position)
    judge = ConnectionJudge(log, kept)
    clock = JudgingClock(utc_now())
    listened = judged = NEVER
    asked = kept_at = time.monotonic()
    told_at = float("-inf")
    keep_after_s = KEEPS_EVERY_S
    while not stop.is_set():
        connected.execute("SELECT 1")  # if this connection is lost, so is the lock
        now, asking = utc_now(), time.monotonic()
        if not judge.catch_up(stop):
            break
        until = clock.judged_until(now, timedelta(seconds=asking - asked), judge.received)
        asked = asking
        if until - listened > QUIET:
            judge.resume(until)
        listened = max(listened, until)
        more = judge.judge(until)
        if not more:
            judged = max(judged, judge.judged(until))
            health.judged(until, judged, judge.watching.fleet)
        began = time.monotonic()
        if not more and began - told_at > TELLS_EVERY_S:
            judged_until.keep(log.head(), judged, until - judge.judged(until))
            told_at = began
        if began - kept_at > keep_after_s:
            checkpoints.save(judge.watching)
            kept_at = time.monotonic()
            keep_after_s = max(KEEPS_EVERY_S, (kept_at - began) / KEEPS_FOR_AT_MOST)
        if not more:
            stop.wait(BEAT_S)
    checkpoints.save(judge.watching)


def main() -> None:
    """Monitor until told to stop (SIGTERM, Ctrl-C)."""
    settings = Settings.from_environment(read_models=False)
    configure_logging(settings)
    let_requests_go_first()
    with open_log(settings) as log:
        monitor(log, settings, told_to_stop())


if __name__ == "__main__":
    main()
