"""Every retry policy, in one table. Each is a decorator; what it does not name is not retried."""

from __future__ import annotations

import stamina
from eventsourcing.persistence import IntegrityError

from vehicle_tracker.event_log import LOG_UNREACHABLE

after_a_conflict = stamina.retry(
    on=IntegrityError, attempts=8, timeout=5.0, wait_initial=0.005, wait_max=0.1, wait_jitter=0.05
)
"""Two commands met at one version of an aggregate: load it again and decide again."""

until_the_log_answers = stamina.retry(on=LOG_UNREACHABLE, attempts=None, timeout=60.0, wait_max=2.0)
"""A process that starts before its PostgreSQL waits for it, a minute long."""

after_a_lock_was_busy = stamina.retry(
    on=lambda error: getattr(getattr(error, "orig", None), "pgcode", None) == "55P03",
    attempts=None,
    timeout=300.0,
    wait_initial=0.2,
    wait_max=2.0,
)
"""PostgreSQL's `lock_not_available`: who waits for a lock makes others wait, so it steps back."""
