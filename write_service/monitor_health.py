"""How the connection monitor shows that it judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Gauge

from vehicle_tracker.domain.values import utc_now
from write_service.connection_rule import SECOND

if TYPE_CHECKING:
    from datetime import datetime

    from write_service.watched_fleet import Fleet

ACTIVE = Gauge("connection_monitor_active", "1: it judges; 0: it stands by for another")
VEHICLES = Gauge("connection_monitor_vehicles", "Vehicles it watches")
JUDGED = Gauge("connection_monitor_judged_timestamp_seconds", "Silence before this is declared")
LATE = Gauge("connection_monitor_late_seconds", "So late nearly all heartbeats arrive")


class BehindError(Exception):
    """Silence is declared later than it may be."""


class MonitorHealth:
    """What a probe may know. Standing by is well; being active and not judging is not."""

    def __init__(self, most_lag_s: float) -> None:
        self._most_lag_s = most_lag_s
        self._active = False
        self._judged: datetime | None = None

    def begins(self) -> None:
        """It is the active monitor now, and reads on first."""
        self._active, self._judged = True, None
        ACTIVE.set(1)

    def judged(self, at: datetime, until: datetime, fleet: Fleet) -> None:
        """At `at` it declared all silence before `until`.

        That the two are apart is no fault of its own: nearly all heartbeats arrive late.
        """
        self._judged = at
        JUDGED.set(until.timestamp())
        VEHICLES.set(len(fleet.vehicles))
        LATE.set(fleet.lateness.late / SECOND)

    def stands_by(self) -> None:
        """It is not the active monitor."""
        self._active = False
        ACTIVE.set(0)

    def check(self) -> None:
        """Return if all is well; errors: `BehindError`, which says what is not."""
        if not self._active:
            return
        if self._judged is None:
            raise BehindError("the connection monitor is still reading the log")
        seconds = (utc_now() - self._judged).total_seconds()
        if seconds > self._most_lag_s:
            raise BehindError(
                f"the connection monitor has not judged for {seconds:.0f} s,"
                f" more than {self._most_lag_s:g} s"
            )
