"""Until when an answer tells the truth: what reached the tracker by then is in the read models."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from projections.status import time_of_next
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import search_unavailable
from vehicle_tracker.event_log import LOG_UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vehicle_tracker.event_log import EventLog

LOOK_EVERY_S = 0.1
LOOK_AGAIN_S = 2.0
"""After a look that failed: the log is away, and each try takes a while."""

LATE_S, PATIENCE_S = 5.0, 1.0
"""Nobody asked for so long: then whoever comes while another looks waits for what is seen, too."""


class Freshness:
    """The instant as of which the read models are whole.

    It is now while they are where the log is; else it is when the oldest event came that is not in
    them. So a follower that stands still does not turn a fleet that drives into a silent one: its
    vehicles are shown as they were, and as of when. It is earlier by as much as nearly all
    heartbeats arrive late (decision 29). While the log is away it stands still too; and while the
    connection monitor is, for a model that knows statuses by its verdicts.
    """

    def __init__(
        self,
        log: EventLog,
        positions: Sequence[Callable[[], int]],
        *,
        by_verdicts: bool = False,
    ) -> None:
        """`by_verdicts` are models whose statuses are what the connection monitor judged last."""
        self._by_verdicts = by_verdicts
        self._log = log
        self._positions = positions
        self._guard = Lock()
        self._as_of: datetime | None = None
        self._look_at = 0.0

    def as_of(self) -> datetime:
        """At most a tenth of a second, and what a look takes, older than it could be.

        Whoever comes while another looks is told what was seen before, unless that is of long ago.
        Errors: `search_unavailable` if that depends on verdicts and there never were any.
        """
        seen, late_s = self._as_of, time.monotonic() - self._look_at
        if seen is None:
            with self._guard:
                return self._as_of or self._look_and_remember()
        patience_s = PATIENCE_S if late_s > LATE_S else 0
        if late_s >= 0 and self._guard.acquire(timeout=patience_s):
            try:
                if time.monotonic() >= self._look_at:
                    return self._look_and_remember()
            finally:
                self._guard.release()
        return self._as_of or seen

    def _look_and_remember(self) -> datetime:
        pause = LOOK_EVERY_S
        try:
            as_of = self._look()
        except LOG_UNREACHABLE:
            as_of = self._as_of or utc_now()
            pause = LOOK_AGAIN_S
        self._as_of, self._look_at = as_of, time.monotonic() + pause
        return as_of

    def _look(self) -> datetime:
        now, head = utc_now(), self._log.head()
        position = min(position() for position in self._positions)
        if position < head:
            now = min(now, time_of_next(self._log, position) or now)
        if not self._by_verdicts:
            return now - self._log.lateness(utc_now())
        judged = self._log.judged_until(position)
        if judged is None:
            raise search_unavailable("no connection monitor has judged yet")
        return min(now, judged)
