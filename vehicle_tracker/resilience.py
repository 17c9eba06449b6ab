"""Every retry policy, in one table; what it does not name is not retried.

Those of one call are decorators; `until_stopped` is that of what runs as long as its process.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import stamina
from eventsourcing.persistence import IntegrityError

from vehicle_tracker.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

Answer = TypeVar("Answer")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0

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


def until_stopped(
    name: str, stop: Event, work: Callable[[], None], may_pass: tuple[type[Exception], ...]
) -> None:
    """Work until `stop` is set; again, ever less often, if one of `may_pass` interrupted it."""
    pause = _FIRST_PAUSE_S
    while not stop.is_set():
        began = time.monotonic()
        try:
            work()
        except may_pass as error:
            if time.monotonic() - began > _LONGEST_PAUSE_S:
                pause = _FIRST_PAUSE_S
            log.warning("interrupted", work=name, error=str(error))
            stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
