"""Waiting until a read model has come as far as a client has seen the log come."""

from __future__ import annotations

import time
from threading import Condition
from typing import TYPE_CHECKING

from vehicle_tracker.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from vehicle_tracker.event_log import EventLog

LOOK_EVERY_S = 0.05


class PositionWatch:
    """Lets any number of threads wait for positions of one projection.

    One of those that wait looks, twenty times a second; nobody waiting, nobody looks.
    """

    def __init__(self, position: Callable[[], int], patience_s: float) -> None:
        self._position = position
        self._patience_s = patience_s
        self._seen = 0
        self._looking = False
        self._changed = Condition()

    def wait_for(self, position: int) -> None:
        """Return once the projection is at `position` or past it; at once if it is 0.

        Errors: `Unavailable` with the code `read_model_behind` if it takes too long.
        """
        if not position:
            return
        self._seen = self._position()
        deadline = time.monotonic() + self._patience_s
        while self._seen < position:
            if time.monotonic() >= deadline:
                raise behind(position, self._seen)
            self._look_or_wait()

    def _look_or_wait(self) -> None:
        with self._changed:
            if self._looking:
                self._changed.wait(LOOK_EVERY_S)
                return
            self._looking = True
        try:
            time.sleep(LOOK_EVERY_S)
            self._seen = self._position()
        finally:
            with self._changed:
                self._looking = False
                self._changed.notify_all()


def log_position(log: EventLog, at_least: int) -> int:
    """The position of the log itself, for what is read out of it. Errors: `read_model_behind`."""
    position = log.head()
    if position < at_least:
        raise behind(at_least, position)
    return position


def behind(wanted: int, reached: int) -> Unavailable:
    """What is read is not as far as the client asked for."""
    return Unavailable(
        "read_model_behind", f"Position {wanted} is not reached yet; this is {reached}."
    )
