"""Building a read model anew beside the live one, and putting it in its place in one step.

The rebuild is the migration: documents are never changed by hand, the log is folded again. Live
reading and following go on meanwhile. What was built so far is kept when a rebuild is stopped, and
the next one goes on from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from projections.follower import Follower, alone

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from threading import Event

    from sqlalchemy import Engine

    from projections.catalog import Projection
    from projections.store import Store
    from vehicle_tracker.event_log import EventLog


class Beside(Protocol):
    """A read model that is being built beside the live one of the same name."""

    store: Store[Any, Any]

    def settled(self) -> None:
        """Make it ready to be asked: called once, when it is nearly where the log is."""

    def live_position_held(self) -> AbstractContextManager[int]:
        """Hold the live model where it is, and give that position.

        Leaving without an error puts this model in its place in one step and drops the old one.
        """


class BusyError(Exception):
    """Another process is rebuilding the same projection."""


class Rebuild:
    """One rebuild of a projection, from the log to the place of the live model."""

    def __init__(
        self, projection: Projection, beside: Beside, log: EventLog, engine: Engine, page: int
    ) -> None:
        self._name = projection.name
        self._beside = beside
        self._log = log
        self._engine = engine
        at_once = replace(projection, pages=projection.rebuilt_pages)
        self._follower = Follower(at_once, log, engine, page, beside.store)

    def run(self, said: Callable[[int, int], None], stop: Event) -> bool:
        """Build beside the live model, then swap; True unless it was stopped before.

        `said` hears of the position reached and the log's head after each page. Nobody waits for
        anything but the swap, which takes some milliseconds.

        Errors: `BusyError`.
        """
        with alone(f"rebuild {self._name}", self._engine) as is_alone:
            if not is_alone:
                raise BusyError(f"{self._name} is being rebuilt already")
            if not self._catch_up(said, stop):
                return False
            self._beside.settled()
            if not self._catch_up(said, stop):
                return False
            with self._beside.live_position_held() as live:
                while self._beside.store.position() < live:
                    self._follower.catch_up()
        return True

    def _catch_up(self, said: Callable[[int, int], None], stop: Event) -> bool:
        """Fold to where the log ends as this begins; False if it was stopped before.

        Somebody may always be writing: who waited for a moment with nothing new might never end.
        """
        head = self._log.head()

        def go_on(position: int) -> bool:
            said(position, self._log.head())
            return not stop.is_set()

        while not stop.is_set():
            if not self._follower.catch_up(go_on) or self._follower.position >= head:
                return True
        return False
