"""Up to which instant the connection monitor has judged, by how far somebody has read its verdicts.

Statuses that come from verdicts alone are of that instant, not of now; those that come from
heartbeats are older than now by how late nearly all arrive. What is kept is of the last ten
minutes: it says nothing that does not follow from the log, but from the log it is not found.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from vehicle_tracker.own_tables import create_once

if TYPE_CHECKING:
    from datetime import datetime

KEPT_FOR = timedelta(minutes=10)
LATE_FOR = timedelta(seconds=10)
"""Longer after it was kept, lateness is not believed: the monitor is away."""

_CREATE = (
    "CREATE TABLE IF NOT EXISTS judged_until"
    " (position bigint PRIMARY KEY, until timestamptz NOT NULL)"
)
_KNOW_LATENESS = (
    "ALTER TABLE judged_until ADD COLUMN IF NOT EXISTS late interval NOT NULL DEFAULT '0'"
)
_KEEP = (
    "INSERT INTO judged_until (position, until, late) VALUES (%s, %s, %s)"
    " ON CONFLICT (position) DO UPDATE SET until = excluded.until, late = excluded.late"
)
_FORGET = "DELETE FROM judged_until WHERE until < %s"
_FIND = (
    "SELECT until FROM ("
    "(SELECT 1 AS choice, until FROM judged_until WHERE position <= %s"
    " ORDER BY position DESC LIMIT 1)"
    " UNION ALL (SELECT 2, until FROM judged_until ORDER BY position LIMIT 1)"
    ") AS found ORDER BY choice LIMIT 1"
)
_FIND_LATE = "SELECT until + late, late FROM judged_until ORDER BY position DESC LIMIT 1"


class JudgedUntil:
    """Keeps it, by the connection of the active monitor."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        create_once(connection, _CREATE)
        create_once(connection, _KNOW_LATENESS)

    def keep(self, position: int, until: datetime, late: timedelta = timedelta(0)) -> None:
        """What was judged of all before `until` is in the log, at that position at the latest.

        `late` is how late nearly all heartbeats arrive.
        """
        with self._connection.transaction():
            self._connection.execute(_KEEP, (position, until, late))
            self._connection.execute(_FORGET, (until - KEPT_FOR,))


def judged_until(connection: psycopg.Connection[Any], position: int) -> datetime | None:
    """Up to which instant all verdicts are among the events until `position`.

    Of a position that is older than what is kept, the oldest instant that is. None if no monitor
    ever judged.
    """
    try:
        with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
            row = cursor.execute(_FIND, (position,), prepare=True).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return row[0] if row else None


def lateness(connection: psycopg.Connection[Any], now: datetime) -> timedelta:
    """How late nearly all heartbeats arrive, as the monitor at work says; 0 if none is."""
    try:
        with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
            row = cursor.execute(_FIND_LATE, prepare=True).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return timedelta(0)
    return row[1] if row and row[0] > now - LATE_FOR else timedelta(0)
