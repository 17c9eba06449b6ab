"""Finding vehicles in Elasticsearch. What is shown of them is what PostgreSQL knows.

Ordinary heartbeats are not written into the index. What only they tell is asked of PostgreSQL: the
whole question, or just which vehicles at the edge of a shape are in it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from projections.customer_vehicles.model import STATUSES
from projections.elasticsearch import told_to_clients
from projections.paging import encode_cursor, instant_in, invalid_cursor
from projections.vehicle_search import elasticsearch_query as ask
from projections.vehicle_search.covered import covered_by, numbers
from projections.vehicle_search.indexed import Asked, Found, IndexedVehicles, OnlyHeartbeatsTell
from projections.vehicle_search.model import MOST_CUSTOMERS, CustomerCount, VehiclePage
from projections.vehicle_search.relational_filters import MOST_CELLS
from projections.vehicle_search.relational_order import place_of
from vehicle_tracker.domain.values import from_microseconds, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from elasticsearch import Elasticsearch

    from projections.customer_vehicles.model import CustomerDocument, CustomerVehicles
    from projections.vehicle_search.covered import Covered
    from projections.vehicle_search.elasticsearch_query import Query
    from projections.vehicle_search.model import Shape, VehicleQuery
    from projections.vehicle_search.relational import RelationalVehicleSearch

MOST_BLOCKS, MOST_AT_THE_EDGE = 200, 20_000
"""A shape of more blocks of cells, or of more vehicles at its edge, is PostgreSQL's."""

_BY_HEARTBEAT = "last_heartbeat_at"


class ElasticsearchVehicleSearch:
    """`VehicleSearch` on the index behind an alias, its pages filled in from what is `listed`.

    `relational` answers what the index cannot, from the tables that it is a copy of. Cursors are
    the same in both.
    """

    def __init__(
        self,
        client: Elasticsearch,
        alias: str,
        customer_vehicles: CustomerVehicles,
        relational: RelationalVehicleSearch,
        disconnect_after_s: int,
    ) -> None:
        self._index = IndexedVehicles(client, alias, relational.hints)
        self._customer_vehicles = customer_vehicles
        self._relational = relational
        self._limit = timedelta(seconds=disconnect_after_s)

    def position(self) -> int:
        """The position of the log that a search would answer of; 0 while there is nothing."""
        with told_to_clients():
            return self._index.position()

    def search(self, query: VehicleQuery, now: datetime) -> VehiclePage:
        """A page of the vehicles, of the older of the positions of both read models.

        The index may have been refreshed once between its counts and its hits.
        """
        at = ask.Instant(to_microseconds(now), to_microseconds(now - self._limit))
        try:
            self._expect_known_here(query)
            parts = ask.lists(query, at, _place(query))
            covered = [covered_by(shape) for shape in query.shapes]
            filters = [*ask.filters(query, at), *self._in_shapes(query.shapes, covered)]
            few = bool(query.customer_ids) or any(one.cells <= MOST_CELLS for one in covered)
            asked = Asked(query, at, filters, parts, few)
            with told_to_clients():
                found = self._index.found(asked)
        except OnlyHeartbeatsTell:
            return self._relational.search(query, now)
        return self._page(query, found)

    def _expect_known_here(self, query: VehicleQuery) -> None:
        """When a vehicle was heard is known of those only that were judged silent."""
        too_short = query.silent_for is not None and query.silent_for < self._limit
        of_others = query.silent_for is None and set(query.statuses) != {"disconnected"}
        if too_short or (of_others and query.sort.lstrip("-") == _BY_HEARTBEAT):
            raise OnlyHeartbeatsTell

    def _in_shapes(self, shapes: Sequence[Shape], covered: Sequence[Covered]) -> list[Query]:
        """In the cells inside a shape; of those at its edge who is in it just now."""
        asked = []
        for shape, cells in zip(shapes, covered, strict=True):
            if len(cells.blocks) > MOST_BLOCKS:
                raise OnlyHeartbeatsTell
            edge = numbers(cells.edge)
            at_the_edge = self._relational.hints.inside(shape, edge, MOST_AT_THE_EDGE + 1)
            if len(at_the_edge) > MOST_AT_THE_EDGE:
                raise OnlyHeartbeatsTell
            asked.append(ask.in_cells(cells.inside, at_the_edge))
        return asked

    def _page(self, query: VehicleQuery, found: Found) -> VehiclePage:
        hits = found.hits[: query.limit]
        vins = [vin for _, vin in hits]
        if found.customers is None:
            known = self._customer_vehicles.listed_and_largest(vins, MOST_CUSTOMERS)
            counts = known.fleet_sizes
        else:
            known, counts = self._customer_vehicles.listed(vins, found.customers), found.customers
        # One model may be some events ahead of the other: a vehicle that PostgreSQL does not know
        # yet, or any more, can be neither shown nor counted.
        items = [known.vehicles[vin] for vin in vins if vin in known.vehicles]
        total = sum(found.statuses[status] for status in set(query.statuses) or STATUSES)
        more = len(found.hits) > len(hits)
        return VehiclePage(
            items=items,
            total=total - (len(hits) - len(items)),
            statuses=found.statuses,
            customers=_customers(counts, known.customers),
            next_cursor=_cursor(query, *hits[-1]) if more else None,
            position=min(known.position, found.position),
        )


def _place(query: VehicleQuery) -> ask.Place | None:
    """The place after which the page begins."""
    place = place_of(query.cursor, query.sort)
    if place is None:
        return None
    (key, vin), sort = place, query.sort.lstrip("-")
    if sort == "status" and key not in STATUSES:
        raise invalid_cursor()
    if sort == _BY_HEARTBEAT:
        return to_microseconds(instant_in(key)), vin
    return key, vin


def _cursor(query: VehicleQuery, key: str | int, vin: str) -> str:
    text = key if isinstance(key, str) else from_microseconds(key).isoformat()
    return encode_cursor(query.sort, text, vin)


def _customers(
    counts: Mapping[str, int], known: Mapping[str, CustomerDocument]
) -> list[CustomerCount]:
    """By name. One that PostgreSQL does not know yet has none."""
    found = []
    for id_, count in counts.items():
        one = known.get(id_)
        named = (one.folded_name, one.customer_id, one.name) if one else ("", UUID(id_), "")
        found.append((*named, count))
    return [CustomerCount(*one[1:]) for one in sorted(found)]
