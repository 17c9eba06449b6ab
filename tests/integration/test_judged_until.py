"""How far the connection monitor has judged is told by how far one has read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from tests.following import NOW
from vehicle_tracker.judged_until import KEPT_FOR, LATE_FOR, JudgedUntil

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog

SECOND = timedelta(seconds=1)
NONE = timedelta(0)


def test_what_is_not_read_yet_does_not_count(event_log: EventLog, database_url: str) -> None:
    """The newest instant of which every verdict was read; of what is forgotten, the oldest kept."""
    assert event_log.judged_until(100) is None
    with psycopg.connect(database_url, autocommit=True) as connection:
        told = JudgedUntil(connection)
        assert event_log.judged_until(100) is None
        told.keep(10, NOW)
        told.keep(10, NOW + SECOND)
        told.keep(20, NOW + 2 * SECOND)
        assert [event_log.judged_until(at) for at in (20, 100)] == [NOW + 2 * SECOND] * 2
        assert [event_log.judged_until(at) for at in (10, 19)] == [NOW + SECOND] * 2
        assert event_log.judged_until(9) == NOW + SECOND
        later = NOW + 2 * SECOND + KEPT_FOR
        told.keep(30, later)
        assert [event_log.judged_until(at) for at in (0, 29, 30)] == [
            NOW + 2 * SECOND,
            NOW + 2 * SECOND,
            later,
        ]


def test_lateness_is_what_a_monitor_at_work_says(event_log: EventLog, database_url: str) -> None:
    """What was kept last counts, for ten seconds; before that, and of an older monitor, nothing."""
    assert event_log.lateness(NOW) == NONE
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE judged_until (position bigint PRIMARY KEY, until timestamptz NOT NULL)"
        )
        assert event_log.lateness(NOW) == NONE
        told = JudgedUntil(connection)
        told.keep(10, NOW - 150 * SECOND, 150 * SECOND)
        told.keep(20, NOW - 100 * SECOND, 100 * SECOND)
        assert event_log.lateness(NOW) == 100 * SECOND
        assert event_log.lateness(NOW + LATE_FOR) == NONE
        told.keep(30, NOW)
        assert event_log.lateness(NOW) == NONE
