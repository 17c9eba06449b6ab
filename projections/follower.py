"""A follower keeps one projection up to date: it reads a page of the log, folds it, stores it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from projections.store import Change, OvertakenError, Parked, StoreAwayError, UnstorableError
from vehicle_tracker.event_log import LOG_UNREACHABLE
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from sqlalchemy import Engine

    from projections.catalog import Projection
    from projections.store import Store
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.recorder import LoggedEvent

IDLE_S = 1.0
"""How long a follower waits to be woken before it looks by itself."""

MOST_KNOWN = 200_000
"""So many documents are kept in memory, 1 to 2 KB each."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0

MAY_PASS = (*LOG_UNREACHABLE, psycopg.Error, SQLAlchemyError, OvertakenError, StoreAwayError)
"""What a follower meets while a server is away or not migrated. Anything else is a defect."""


class Follower:
    """Folds a log into a projection, `page` events at a time."""

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
        self._known: dict[Any, Any] = {}
        self._known_at = 0
        self.position = 0
        """The position of the last event folded, as far as this follower knows."""

    def catch_up(self) -> int:
        """Fold the next page; how many events it had. 0: the projection is where the log is.

        What cannot be folded or stored is parked with its reason; the rest goes on.
        """
        after = self._store.position()
        page = self._log.read(after, self._page)
        try:
            if page:
                self._fold(page, after)
        except UnstorableError:
            self._fold_one_by_one(page, after)
        self.position = page[-1].position if page else after
        return len(page)

    def run(self, stop: Event) -> None:
        """Follow until `stop` is set, as the only one of this name; the page at hand is finished.

        While a database is away it tries again, ever less often.
        """
        until_stopped(self._projection.name, stop, lambda: self._follow(stop))

    def _follow(self, stop: Event) -> None:
        self._known = {}
        name = self._projection.name
        lock = alone(name, self._engine, lambda: not stop.wait(IDLE_S))
        with lock, self._log.listening() as wait:
            logger.info("following", projection=name)
            while not stop.is_set():
                if not self.catch_up():
                    wait(IDLE_S)

    def _fold(self, page: Sequence[LoggedEvent], after: int) -> None:
        projection = self._projection
        events: list[tuple[LoggedEvent, Any, Any]] = []
        parked: list[Parked] = []
        for logged in page:
            if logged.topic in projection.topics:
                try:
                    event = self._log.event(logged)
                    events.append((logged, projection.key_of(event), event))
                except Exception as error:  # noqa: BLE001 # whatever it is, it is why it is parked
                    parked.append(_parked(logged, error))
        before = self._documents({key for _, key, _ in events}, after)
        documents = dict(before)
        for logged, key, event in events:
            try:
                documents[key] = projection.evolve(documents.get(key), event)
            except Exception as error:  # noqa: BLE001 # the same
                parked.append(_parked(logged, error))
        changes = {
            key: Change(before.get(key), document)
            for key, document in documents.items()
            if document is not before.get(key)
        }
        self._keep(changes, after, page[-1].position, parked)
        for logged, _, event in events:
            if request_id := getattr(event, "request_id", None):
                logger.info("folded", request_id=request_id, position=logged.position)

    def _documents(self, keys: set[Any], position: int) -> dict[Any, Any]:
        """Those of the documents that exist, as they are at a position.

        Nobody else stores while this one follows, so what it stored itself need not be loaded
        again: that saves a third of the work. If somebody did, the position is another.
        """
        if self._projection.of_a_page:
            return {}
        if position != self._known_at or len(self._known) > MOST_KNOWN:
            self._known = {}
            self._known_at = position
        known = self._known
        unknown = keys - known.keys()
        if unknown:
            known.update(self._store.load(unknown))
        return {key: known[key] for key in keys if key in known}

    def _fold_one_by_one(self, page: Sequence[LoggedEvent], after: int) -> None:
        """Find the events whose documents the store refuses, and park them."""
        for logged in page:
            try:
                self._fold([logged], after)
            except UnstorableError as error:
                self._keep({}, after, logged.position, [_parked(logged, error)])
            after = logged.position

    def _keep(
        self, changes: dict[Any, Change], after: int, position: int, parked: list[Parked]
    ) -> None:
        self._store.store(changes, after=after, position=position, parked=parked)
        if not self._projection.of_a_page:
            self._known.update((key, change.after) for key, change in changes.items())
        self._known_at = position
        for event, error in parked:
            logger.error("event parked", position=event.position, topic=event.topic, error=error)


def until_stopped(name: str, stop: Event, follow: Callable[[], None]) -> None:
    """Follow again whenever it was interrupted by what may pass, ever less often."""
    pause = FIRST_PAUSE_S
    while not stop.is_set():
        began = time.monotonic()
        try:
            follow()
        except MAY_PASS as error:
            if time.monotonic() - began > LONGEST_PAUSE_S:
                pause = FIRST_PAUSE_S
            logger.warning("follower interrupted", projection=name, error=str(error))
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)


def _parked(logged: LoggedEvent, error: Exception) -> Parked:
    return Parked(logged, f"{type(error).__name__}: {error}")


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
