"""Keeps an index of Elasticsearch like the tables of a projection: by copying what changed there.

Nothing is lost or brought back by being stopped, killed, repeated or done twice at once (see
`projections.elasticsearch_index`). An index that was filled from other documents than there are
now, because those were rebuilt, or with other fields, by an older release, is filled anew beside.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from projections.elasticsearch_index import SearchIndex, first_index, next_index
from projections.follower import IDLE_S, MAY_PASS, alone
from projections.index_changes import Changes
from projections.rebuild import BusyError
from projections.store import advance
from vehicle_tracker.resilience import until_stopped
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.elasticsearch_index import State
    from projections.index_changes import Tables

LOOK_EVERY_S = 0.25
"""So often it looks whether the tables went on. The index shows what it stored twice a second."""

FILLED_AT_ONCE = 50_000
"""An index that nobody asks is filled in larger pages: between two of them nothing is written."""


class IndexFollower:
    """Copies documents into the index behind an alias, about `page` at a time."""

    def __init__(
        self, client: Elasticsearch, alias: str, tables: Tables, engine: Engine, page: int
    ) -> None:
        self._alias = alias
        self._tables = tables
        self._engine = engine
        self._page = page
        self._live = SearchIndex(client, alias, tables.definition)
        self._rebuild = IndexRebuild(client, alias, tables, engine, page)
        self._stop = Event()

    def catch_up(self) -> int:
        """Copy the next documents that changed; how many. 0: the index is where the tables are.

        After those were rebuilt that is all of them.
        """
        state = self._live.state()
        with _changes_since(self._engine, self._tables, state, self._page) as changes:
            if _follow_on(changes, state):
                if changes.head == state.position:
                    return 0
                copied, position = changes.copy(self._live)
                self._tell(position)
                return max(1, copied)
        return self._fill_anew()

    def run(self, stop: Event) -> None:
        """Follow until `stop` is set, as the only one of this name; the page at hand is finished.

        While a server is away it tries again, ever less often.
        """
        self._stop = stop
        until_stopped(f"follower of {self._alias}", stop, self._follow, MAY_PASS)

    def _follow(self) -> None:
        stop = self._stop
        with alone(self._alias, self._engine, lambda: not stop.wait(IDLE_S)):
            logger.info("following", projection=self._alias)
            while not stop.is_set():
                if self.catch_up() < self._page:
                    stop.wait(LOOK_EVERY_S)

    def _fill_anew(self) -> int:
        try:
            if not self._rebuild.run(lambda *_: None, self._stop):
                return 0
        except BusyError:  # somebody does it already
            return 0
        self._tell(self._live.state().position)
        return 1

    def _tell(self, position: int) -> None:
        """PostgreSQL has a copy of the position, for those who watch how far it is."""
        with self._engine.begin() as connection:
            advance(connection, self._alias, position)


class IndexRebuild:
    """Fills the next index beside the live one, then swaps them."""

    def __init__(
        self, client: Elasticsearch, alias: str, tables: Tables, engine: Engine, page: int
    ) -> None:
        self._client = client
        self._alias = alias
        self._tables = tables
        self._engine = engine
        self._page = max(page, FILLED_AT_ONCE)
        self._live = SearchIndex(client, alias, tables.definition)

    def run(self, said: Callable[[int, int], None], stop: Event) -> bool:
        """Fill it and swap; True unless it was stopped before. It then goes on where it was.

        `said` hears of the position reached and the tables' after each page. The live index is not
        held: whoever follows finds the new one's position, and goes on from there.

        Errors: `BusyError`.
        """
        with alone(f"rebuild {self._alias}", self._engine) as is_alone:
            if not is_alone:
                raise BusyError(f"{self._alias} is being rebuilt already")
            new = next_index(self._live.behind() or first_index(self._alias))
            beside = SearchIndex(
                self._client, f"{self._alias}-rebuild", self._tables.definition, beside=new
            )
            while not stop.is_set():
                if self._copy_page(beside, said):
                    beside.take_the_place_of(self._live)
                    return True
            return False

    def _copy_page(self, beside: SearchIndex, said: Callable[[int, int], None]) -> bool:
        """Copy a page; True once nothing is left."""
        state = beside.state()
        with _changes_since(self._engine, self._tables, state, self._page) as changes:
            if not _follow_on(changes, state):
                beside.drop()
                beside.state()
                beside.keep_position(0, changes.generation)
                return False
            _, position = changes.copy(beside)
            said(position, changes.head)
            return position == changes.head


@contextmanager
def _changes_since(engine: Engine, tables: Tables, state: State, most: int) -> Iterator[Changes]:
    with engine.connect() as connection:
        yield Changes(connection, tables, state.position, most)


def _follow_on(changes: Changes, state: State) -> bool:
    """False if the documents are not those any more that were copied so far."""
    return (
        state.has_these_fields
        and changes.generation == state.generation
        and changes.head >= state.position
    )
