"""A log with heartbeats, a judge over it, and what was appended: what tests of the monitor need."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import psycopg

from tests.following import heartbeat_row
from vehicle_tracker.domain.connection import ConnectionEvent, ListeningResumed, decoders
from vehicle_tracker.judged_until import JudgedUntil
from write_service.connection_judge import ConnectionJudge
from write_service.monitor_checkpoint import Watching
from write_service.watched_fleet import Fleet

if TYPE_CHECKING:
    from datetime import datetime

    from vehicle_tracker.event_log import EventLog

VIN = "YS2R4X20005399401"
LIMIT_S = 120
GOING_ON = Event()


def vin_of(number: int) -> str:
    """The VIN of one of a fleet."""
    return f"YS2R4X2000{number:07d}"


def record_all(log: EventLog, *heard: tuple[str, datetime, datetime]) -> None:
    """Append heartbeats: of whom, when recorded, when received."""
    rows = [heartbeat_row(*one) for one in heard]
    with log.writing() as writing:
        writing.insert(rows)


def judge_of(log: EventLog, watching: Watching | None = None) -> ConnectionJudge:
    """A judge that knows nothing yet, or this."""
    return ConnectionJudge(log, watching or Watching(Fleet(LIMIT_S)))


def run_until(judge: ConnectionJudge, until: datetime) -> None:
    """Append all that follows by then."""
    assert judge.catch_up(GOING_ON)
    while judge.judge(until):
        assert judge.catch_up(GOING_ON)


def judge_by(log: EventLog, url: str, until: datetime) -> None:
    """Append all that follows by then, and tell that it is, as a monitor at work does."""
    run_until(judge_of(log), until)
    with psycopg.connect(url, autocommit=True) as connection:
        JudgedUntil(connection).keep(log.head(), until)


def appended(log: EventLog, vin: str | None = None) -> list[ConnectionEvent]:
    """All connection events of the log, by its order."""
    rows = [row for row in log.read(0, 1_000_000) if row.topic in decoders]
    events = [decoders[row.topic](row.state) for row in rows]
    return [
        one for one in events if not isinstance(one, ListeningResumed) and vin in (None, one.vin)
    ]


def replayed(log: EventLog, default_limit_s: int = LIMIT_S) -> list[ConnectionEvent]:
    """What the pure rule makes of the log."""
    fleet = Fleet(default_limit_s)
    judge_of(log, Watching(fleet)).fold(log.read(0, 1_000_000))
    return fleet.told


def by_version(events: list[ConnectionEvent]) -> list[ConnectionEvent]:
    """Vehicle by vehicle, in the order of its stream."""
    return sorted(events, key=lambda one: (one.vin, one.version))
