"""Every retry policy, in one table. Each is a decorator; what it does not name is not retried."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import stamina
from eventsourcing.persistence import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

after_a_conflict = stamina.retry(
    on=IntegrityError, attempts=8, timeout=5.0, wait_initial=0.005, wait_max=0.1, wait_jitter=0.05
)
"""Two commands met at one version of an aggregate: load it again and decide again."""


def until_it_answers(
    away: tuple[type[Exception], ...], within_s: float
) -> Callable[[Callable[[], Answer]], Callable[[], Answer]]:
    """A process that starts before its stores waits for them.

    What is retried must take no arguments: they would be logged, and an address holds a password.
    """
    return stamina.retry(on=away, attempts=None, timeout=within_s, wait_max=2.0)


after_a_lock_was_busy = stamina.retry(
    on=lambda error: getattr(getattr(error, "orig", None), "pgcode", None) == "55P03",
    attempts=None,
    timeout=300.0,
    wait_initial=0.2,
    wait_max=2.0,
)
"""PostgreSQL's `lock_not_available`: who waits for a lock makes others wait, so it steps back."""
