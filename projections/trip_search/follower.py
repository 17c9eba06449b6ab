"""Keeps the index of trips like the projection `trips`: by copying what changed there.

Nothing is lost or brought back by being stopped, killed, repeated or done twice at once (see
`projections.elasticsearch_index`). An index that was filled from other trips than there are now,
because those were rebuilt, is filled anew beside.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from projections.elasticsearch_index import SearchIndex, first_index, next_index
from projections.follower import IDLE_S, alone, until_stopped
from projections.rebuild import BusyError
from projections.store import advance
from projections.trip_search.index import DEFINITION
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from elasticsearch import Elasticsearch

    from projections.trip_search.changes import ChangedTrips, Changes

LOOK_EVERY_S = 0.25
"""So often it looks whether the trips went on. The index shows what it stored twice a second."""


class TripSearchFollower:
    """Copies trips into the index behind an alias, about `page` at a time."""

    def __init__(self, client: Elasticsearch, alias: str, trips: ChangedTrips, page: int) -> None:
        self._alias = alias
        self._trips = trips
        self._page = page
        self._live = SearchIndex(client, alias, DEFINITION)
        self._rebuild = TripSearchRebuild(client, alias, trips, page)
        self._stop = Event()

    def catch_up(self) -> int:
        """Copy the next trips that changed; how many. 0: the index is where the trips are.

        After they were rebuilt that is all of them.
        """
        after, generation = self._live.position_and_generation()
        with self._trips.since(after, self._page) as changes:
            if _follow_on(changes, after, generation):
                if changes.head == after:
                    return 0
                copied, position = changes.copy(self._live)
                self._tell(position)
                return copied
        return self._fill_anew()

    def run(self, stop: Event) -> None:
        """Follow until `stop` is set, as the only one of this name; the page at hand is finished.

        While a server is away it tries again, ever less often.
        """
        self._stop = stop
        until_stopped(self._alias, stop, self._follow)

    def _follow(self) -> None:
        stop = self._stop
        with alone(self._alias, self._trips.engine, lambda: not stop.wait(IDLE_S)):
            logger.info("following", projection=self._alias)
            while not stop.is_set():
                if not self.catch_up():
                    stop.wait(LOOK_EVERY_S)

    def _fill_anew(self) -> int:
        try:
            if not self._rebuild.run(lambda *_: None, self._stop):
                return 0
        except BusyError:  # somebody does it already
            return 0
        self._tell(self._live.position_and_generation()[0])
        return 1

    def _tell(self, position: int) -> None:
        """PostgreSQL has a copy of the position, for those who watch how far it is."""
        with self._trips.engine.begin() as connection:
            advance(connection, self._alias, position)


class TripSearchRebuild:
    """Fills the next index beside the live one, then swaps them."""

    def __init__(self, client: Elasticsearch, alias: str, trips: ChangedTrips, page: int) -> None:
        self._client = client
        self._alias = alias
        self._trips = trips
        self._page = page
        self._live = SearchIndex(client, alias, DEFINITION)

    def run(self, said: Callable[[int, int], None], stop: Event) -> bool:
        """Fill it and swap; True unless it was stopped before. It then goes on where it was.

        `said` hears of the position reached and the trips' after each page. The live index is not
        held: whoever follows finds the new one's position, and goes on from there.

        Errors: `BusyError`.
        """
        with alone(f"rebuild {self._alias}", self._trips.engine) as is_alone:
            if not is_alone:
                raise BusyError(f"{self._alias} is being rebuilt already")
            new = next_index(self._live.behind() or first_index(self._alias))
            beside = SearchIndex(self._client, f"{self._alias}-rebuild", DEFINITION, new)
            while not stop.is_set():
                if self._copy_page(beside, said):
                    beside.take_the_place_of(self._live)
                    return True
            return False

    def _copy_page(self, beside: SearchIndex, said: Callable[[int, int], None]) -> bool:
        """Copy a page; True once nothing is left."""
        after, generation = beside.position_and_generation()
        with self._trips.since(after, self._page) as changes:
            if not _follow_on(changes, after, generation):
                beside.drop()
                beside.position_and_generation()
                beside.keep_position(0, changes.generation)
                return False
            _, position = changes.copy(beside)
            said(position, changes.head)
            return position == changes.head


def _follow_on(changes: Changes, after: int, generation: int) -> bool:
    """False if the trips are not those any more that were copied so far."""
    return changes.generation == generation and changes.head >= after
