"""How a projection is kept: what a follower asks of any store, and what relational ones share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from projections.database import is_unstorable, parked_event, projection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from vehicle_tracker.logged_event import LoggedEvent

K = TypeVar("K")
D = TypeVar("D")


class Change(NamedTuple):
    """What became of a document: `before` is None if it is new."""

    before: Any
    after: Any


class Parked(NamedTuple):
    """An event that could not be folded, and why."""

    event: LoggedEvent
    error: str


class UnstorableError(Exception):
    """The store will never take these documents. Nothing of the page was stored."""


class OvertakenError(Exception):
    """Another follower has stored in the meantime. Nothing of the page was stored."""


class StoreAwayError(Exception):
    """The store cannot be reached, is overloaded or full. The same may work later."""


class Store(Protocol[K, D]):
    """Where one projection is kept.

    Of some documents it keeps what comes of all of them: those are not loaded to be folded into,
    but each stretch of the log makes them anew, and the store merges them into what it keeps.
    """

    def position(self) -> int:
        """The position of the last event that was stored; 0 at first."""

    def load(self, keys: Iterable[K]) -> dict[K, D]:
        """Those of the documents that exist and are folded into."""

    def store(
        self, changes: Mapping[K, Change], *, after: int, position: int, parked: Sequence[Parked]
    ) -> None:
        """Keep the changes, the parked events and the position as one step, or none of it.

        Errors: `UnstorableError`, `OvertakenError` if the position is not `after` any more.
        """

    def amend(self, changes: Mapping[K, Change], *, after: int, replayed: int) -> None:
        """Keep the changes at the position at which it is; the event replayed is parked no more.

        Errors: as of `store`. Whoever follows hears of it, as an `OvertakenError`.
        """


class RelationalStore(ABC, Generic[K, D]):
    """A store in PostgreSQL: one step is one transaction."""

    def __init__(self, name: str, engine: Engine) -> None:
        self._name = name
        self._engine = engine
        self._generation: int | None = None
        self._stored: int | None = None

    @abstractmethod
    def select(self, connection: Connection, keys: Iterable[K]) -> Iterable[tuple[K, D]]:
        """Those of the documents that exist and are folded into."""

    @abstractmethod
    def write(self, connection: Connection, changes: Mapping[K, Change], position: int) -> None:
        """Keep what the documents are after the changes, which are those up to `position`."""

    def take_over(self, connection: Connection) -> None:
        """Begin where another ended, maybe one of another release: the next step is the first."""

    def position(self) -> int:
        """The position of the last event that was stored; 0 at first.

        Errors: `OvertakenError`, once, if the documents are no longer those that it stored.
        """
        with self._engine.connect() as connection:
            return self._position(connection, lock=False)

    def load(self, keys: Iterable[K]) -> dict[K, D]:
        """Those of the documents that exist and are folded into."""
        with self._engine.connect() as connection:
            return dict(self.select(connection, keys))

    def store(
        self, changes: Mapping[K, Change], *, after: int, position: int, parked: Sequence[Parked]
    ) -> None:
        """Keep the changes, the parked events and the position as one step, or none of it."""
        try:
            with self._engine.begin() as connection:
                self._expect_at(connection, after)
                self.write(connection, changes, position)
                park(connection, self._name, parked)
                advance(connection, self._name, position)
        except (SQLAlchemyError, ValueError) as error:
            if is_unstorable(error):
                raise UnstorableError(str(getattr(error, "orig", error))) from error
            raise
        self._stored = position

    def amend(self, changes: Mapping[K, Change], *, after: int, replayed: int) -> None:
        """Keep the changes at the position at which it is; the event replayed is parked no more."""
        is_it = (parked_event.c.projection == self._name) & (parked_event.c.position == replayed)
        amended = update(projection).where(projection.c.name == self._name)
        with self._engine.begin() as connection:
            self._expect_at(connection, after)
            self.write(connection, changes, after)
            connection.execute(delete(parked_event).where(is_it))
            connection.execute(amended.values(generation=projection.c.generation + 1))
        self._generation = (self._generation or 0) + 1

    def _expect_at(self, connection: Connection, after: int) -> None:
        if self._position(connection, lock=True) != after:
            raise OvertakenError(f"{self._name} is no longer at {after}")
        if self._stored != after:
            self.take_over(connection)

    def _position(self, connection: Connection, *, lock: bool) -> int:
        columns = (projection.c.position, projection.c.generation)
        statement = select(*columns).where(projection.c.name == self._name)
        if lock:
            statement = statement.with_for_update()
        position, generation = connection.execute(statement).one_or_none() or (0, 0)
        known, self._generation = self._generation, generation
        if known not in (None, generation):
            raise OvertakenError(f"{self._name} was rebuilt or amended")
        return int(position)


def advance(connection: Connection, name: str, position: int) -> None:
    """Keep how far a projection is."""
    values = {"position": position, "updated_at": datetime.now(UTC)}
    connection.execute(
        insert(projection)
        .values(name=name, **values)
        .on_conflict_do_update(constraint=projection.primary_key, set_=values)
    )


def park(connection: Connection, name: str, parked: Sequence[Parked]) -> None:
    """Keep events that a projection could not fold; those kept already stay as they are."""
    if not parked:
        return
    rows = [
        {
            **event._asdict(),
            "projection": name,
            "error": error.replace("\0", "\\0").encode(errors="replace").decode(),
            "parked_at": datetime.now(UTC),
        }
        for event, error in parked
    ]
    connection.execute(insert(parked_event).on_conflict_do_nothing(), rows)
