"""The instant up to which silence may be judged, whatever the clocks do."""

from __future__ import annotations

from datetime import datetime, timedelta

COMMITS_WITHIN = timedelta(milliseconds=250)
"""A heartbeat is in the log so long after it was received, if nothing is wrong. If it is not, its
vehicle may be declared disconnected and connected again; a monitor behind never declares more."""

_A_STEP = timedelta(seconds=5)


class JudgingClock:
    """Follows this machine's clock, except where it jumps ahead of time itself.

    Time itself is what has elapsed, and the newest reception in the log. If the clock jumps ahead
    of both, it is the clock that is wrong, and a fleet must not be declared dead for it; if it
    jumps back, nothing is due until it is where it was.
    """

    def __init__(self, now: datetime) -> None:
        self._time = now

    def judged_until(self, now: datetime, elapsed: timedelta, received: datetime) -> datetime:
        """The instant, given what has elapsed since last asked, and the newest reception read."""
        self._time = max(self._time + elapsed, received)
        if abs(now - self._time) < _A_STEP:
            self._time = now  # clocks drift; only a step is a mistake
        return min(now, self._time) - COMMITS_WITHIN
