"""Finding trips in Elasticsearch. Which of them are shown, and what of them, PostgreSQL knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from elasticsearch import NotFoundError

from projections.elasticsearch import told_to_clients
from projections.elasticsearch_index import found_position
from projections.paging import encode_cursor
from projections.trip_search.elasticsearch_query import request
from projections.trip_search.names import named_by
from projections.trips.model import TripPage, TripView
from projections.trips.reader import place_of
from vehicle_tracker.domain.values import from_microseconds, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.trip_search.names import Named
    from projections.trips.model import TripQuery
    from projections.trips.reader import RelationalTrips

FEWEST, MOST_ROUNDS = 50, 5
"""At least so many hits are looked at at a time, and so often, until a page is full.

Some are not shown: derived trips that overlap a reported one, and what is only nearly in a box."""


class _Hit(NamedTuple):
    """A place in the list."""

    started_us: int
    trip_id: str


class ElasticsearchTripSearch:
    """`TripSearch` on the index behind an alias, its pages filled in from `trips`."""

    def __init__(
        self, client: Elasticsearch, alias: str, trips: RelationalTrips, engine: Engine
    ) -> None:
        self._client = client
        self._alias = alias
        self._trips = trips
        self._engine = engine

    def position(self) -> int:
        """The position of the log that the index answers of; 0 while there is nothing."""
        with told_to_clients():
            try:
                return found_position(self._client, self._alias)[1]
            except NotFoundError:
                return 0

    def find(self, query: TripQuery, now: datetime) -> TripPage:
        """A page of trips, of the older of the positions of both read models."""
        last = _Hit(*_in_the_index(query.cursor)) if query.cursor is not None else None
        named = named_by(query.q, self._engine)
        with told_to_clients():
            index, position = found_position(self._client, self._alias)
        items: list[TripView] = []
        more = True
        for _ in range(MOST_ROUNDS):
            hits = self._hits(index, query, named, last)
            shown, at = self._trips.chosen([UUID(hit.trip_id) for hit in hits], query, now)
            position = min(position, at)
            for hit in hits[:-1] if len(hits) > _size(query) else hits:
                last = hit
                if view := shown.get(UUID(hit.trip_id)):
                    items.append(view)
                if len(items) == query.limit:
                    break
            more = bool(hits) and last != hits[-1]
            if not more or len(items) == query.limit:
                break
        return TripPage(items, _cursor(last) if more and last else None, position)

    def _hits(
        self, index: str, query: TripQuery, named: Sequence[Named], after: _Hit | None
    ) -> list[_Hit]:
        """The next ones, and one more if there are more than those."""
        body = request(query, named, after, _size(query) + 1)
        with told_to_clients():
            answer: Any = self._client.search(index=index, **body)
        return [_Hit(*hit["sort"]) for hit in answer["hits"]["hits"]]


def _size(query: TripQuery) -> int:
    return max(query.limit, FEWEST)


def _in_the_index(cursor: str) -> tuple[int, str]:
    started_at, trip_id = place_of(cursor)
    return to_microseconds(started_at), str(trip_id)


def _cursor(last: _Hit) -> str:
    """The same as PostgreSQL's: a list may be gone on with by either."""
    return encode_cursor(from_microseconds(last.started_us), UUID(last.trip_id))
