"""A follower keeps one projection up to date: it reads the log, folds it, stores the outcome."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from projections.store import OvertakenError, StoreAwayError, UnstorableError
from projections.stretch import Stretch
from vehicle_tracker.collecting import nothing_collected
from vehicle_tracker.errors import Unavailable
from vehicle_tracker.event_log import LOG_UNREACHABLE
from vehicle_tracker.resilience import until_stopped
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from sqlalchemy import Engine

    from projections.catalog import Projection
    from projections.store import Store
    from vehicle_tracker.event_log import EventLog

IDLE_S = 1.0
"""How long a follower waits to be woken before it looks by itself."""

STEPS_EVERY_S = 0.2
"""What comes meanwhile is stored in one step: each costs some milliseconds, however small."""

MOST_DOCUMENTS = 200_000
"""With so many in memory, about 1 KB each, they are stored."""

MAY_PASS = (
    *LOG_UNREACHABLE,
    psycopg.Error,
    SQLAlchemyError,
    OvertakenError,
    StoreAwayError,
    Unavailable,
)
"""What a follower meets while a server, or a file of the archive, is away. Else it is a defect."""


class Follower:
    """Folds a log into a projection: reads `page` events at a time, and stores.

    If there are more it goes on reading, and stores what comes of the projection's `pages` in one
    step: then each document is written once, however often it changed.
    """

    def __init__(
        self,
        projection: Projection,
        log: EventLog,
        engine: Engine,
        page: int,
        store: Store[Any, Any] | None = None,
    ) -> None:
        self._projection = projection
        self._log = log
        self._engine = engine
        self._page = page
        self._store = store or projection.store(projection.name, engine)
        self._most = self._at_once = page * projection.pages
        self.position = 0
        """The position of the last event folded, as far as this follower knows."""

    @nothing_collected()
    def catch_up(self, go_on: Callable[[int], bool] = lambda _: True) -> int:
        """Fold what comes next; how many events it was. 0: the projection is where the log is.

        What cannot be folded or stored is parked with its reason; the rest goes on. `go_on` is told
        the position after each page; once it says no, what was read is stored.
        """
        while True:
            stretch = self._read(go_on)
            try:
                self._keep(stretch)
            except UnstorableError as error:
                if stretch.events > 1:
                    # Ever less, until the event is alone that the store refuses: it is parked.
                    self._at_once = stretch.events // 2
                    continue
                (culprit,) = self._log.read(stretch.after, 1)
                stretch.give_up(culprit, error)
                self._keep(stretch)
            self._at_once = min(2 * self._at_once, self._most)
            self.position = stretch.position
            return stretch.events

    def run(self, stop: Event) -> None:
        """Follow until `stop` is set, as the only one of this name; what is at hand is finished.

        While a database is away it tries again, ever less often.
        """
        name = f"follower of {self._projection.name}"
        until_stopped(name, stop, lambda: self._follow(stop), MAY_PASS)

    def _follow(self, stop: Event) -> None:
        name = self._projection.name
        lock = alone(name, self._engine, lambda: not stop.wait(IDLE_S))
        with lock, self._log.listening() as wait:
            logger.info("following", projection=name)
            while not stop.is_set():
                began = time.monotonic()
                events = self.catch_up(lambda _: not stop.is_set())
                if not events:
                    wait(IDLE_S)
                elif events < self._most:
                    stop.wait(began + STEPS_EVERY_S - time.monotonic())

    def _read(self, go_on: Callable[[int], bool]) -> Stretch:
        stretch = Stretch(self._projection, self._log, self._store, self._store.position())
        while stretch.events < self._at_once and stretch.documents < MOST_DOCUMENTS:
            limit = min(self._page, self._at_once - stretch.events)
            page = self._log.read(stretch.position, limit)
            if page:
                stretch.add(page)
            if not page or not go_on(stretch.position) or len(page) < limit:
                break
        return stretch

    def _keep(self, stretch: Stretch) -> None:
        if not stretch.events:
            return
        self._store.store(
            stretch.changes,
            after=stretch.after,
            position=stretch.position,
            parked=stretch.parked,
        )
        for event, error in stretch.parked:
            logger.error("event parked", position=event.position, topic=event.topic, error=error)
        for position, request_id in stretch.requests:
            logger.info("folded", request_id=request_id, position=position)


@contextmanager
def alone(
    name: str, engine: Engine, keep_trying: Callable[[], bool] = lambda: False
) -> Iterator[bool]:
    """Hold the lock of a name; False if it was not had and `keep_trying` said no.

    It saves two followers from doing the same work; what makes storing right is that a page is
    stored only after the position it was read from. The connection is closed rather than pooled,
    for the lock ends with it.
    """
    lock = select(func.pg_try_advisory_lock(func.hashtextextended(f"projection {name}", 0)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()
        while not (held := bool(connection.execute(lock).scalar())) and keep_trying():
            pass
        yield held
