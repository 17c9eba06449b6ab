"""Finding vehicles in Elasticsearch. What is shown of them is what PostgreSQL knows.

Ordinary heartbeats are not written into the index. What only they tell is asked of PostgreSQL: the
whole question, or just which vehicles at the edge of a shape are in it.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from elasticsearch import NotFoundError

from projections.customer_vehicles.model import STATUSES
from projections.elasticsearch import answers, told_to_clients
from projections.elasticsearch_index import found_position
from projections.paging import decode_cursor, encode_cursor, instant_in, invalid_cursor
from projections.text import folded
from projections.vehicle_search import elasticsearch_query as ask
from projections.vehicle_search.covered import covered_by, numbers
from projections.vehicle_search.document import is_beginning
from projections.vehicle_search.model import (
    MOST_CUSTOMERS,
    SHORTEST_FORGIVEN,
    CustomerCount,
    VehiclePage,
)
from projections.vehicle_search.relational import has_in_order
from projections.vehicle_search.words import words
from vehicle_tracker.domain.values import from_microseconds, to_microseconds, vehicle_streams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from elasticsearch import Elasticsearch

    from projections.customer_vehicles.model import CustomerVehicles, Status
    from projections.vehicle_search.elasticsearch_query import Query
    from projections.vehicle_search.model import VehicleQuery
    from projections.vehicle_search.relational import RelationalVehicleSearch

MOST_BLOCKS, MOST_AT_THE_EDGE = 200, 20_000
"""A shape of more blocks of cells, or of more vehicles at its edge, is PostgreSQL's."""

MOST_NAMED = 100
"""A word within more customers' names than these is looked for in all that the index knows."""

_BY_HEARTBEAT = "last_heartbeat_at"


class _OnlyHeartbeatsTell(Exception):
    """The index cannot answer; PostgreSQL can."""


class _Asked(NamedTuple):
    """A query in the index's terms: what holds for all that is found, and the parts of the page."""

    query: VehicleQuery
    at: ask.Instant
    filters: Sequence[Query]
    parts: Sequence[ask.List]

    def besides(self, more: Sequence[Query]) -> _Asked:
        """The same, and these hold too."""
        return self._replace(filters=[*more, *self.filters])


class _Found(NamedTuple):
    """What the index answered, of `position` or later; of customers only if it was asked."""

    position: int
    statuses: Mapping[Status, int]
    customers: Mapping[str, int] | None
    hits: list[ask.Place]


class ElasticsearchVehicleSearch:
    """`VehicleSearch` on the index behind an alias, its pages filled in from `known`.

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
        self._client = client
        self._alias = alias
        self._customer_vehicles = customer_vehicles
        self._relational = relational
        self._limit = timedelta(seconds=disconnect_after_s)

    def position(self) -> int:
        """The position of the log that a search would answer of; 0 while there is nothing."""
        with told_to_clients():
            try:
                return found_position(self._client, self._alias)[1]
            except NotFoundError:
                return 0

    def search(self, query: VehicleQuery, now: datetime) -> VehiclePage:
        """A page of the vehicles, of the older of the positions of both read models.

        The index may have been refreshed once between its counts and its hits.
        """
        at = ask.Instant(to_microseconds(now), to_microseconds(now - self._limit))
        try:
            self._expect_known_here(query)
            parts = ask.lists(query, at, _place(query))
            filters = [*ask.filters(query, at), *self._in_shapes(query)]
            with told_to_clients():
                found = self._found(_Asked(query, at, filters, parts))
        except _OnlyHeartbeatsTell:
            return self._relational.search(query, now)
        return self._page(query, found)

    def _expect_known_here(self, query: VehicleQuery) -> None:
        """When a vehicle was heard is known of those only that were judged silent."""
        too_short = query.silent_for is not None and query.silent_for < self._limit
        of_others = query.silent_for is None and set(query.statuses) != {"disconnected"}
        if too_short or (of_others and query.sort.lstrip("-") == _BY_HEARTBEAT):
            raise _OnlyHeartbeatsTell

    def _in_shapes(self, query: VehicleQuery) -> list[Query]:
        """In the cells inside a shape; of those at its edge who is in it just now."""
        asked = []
        for shape in query.shapes:
            covered = covered_by(shape)
            if len(covered.blocks) > MOST_BLOCKS:
                raise _OnlyHeartbeatsTell
            edge = numbers(covered.edge)
            at_the_edge = self._relational.inside(shape, edge, MOST_AT_THE_EDGE + 1)
            if len(at_the_edge) > MOST_AT_THE_EDGE:
                raise _OnlyHeartbeatsTell
            asked.append(ask.in_cells(covered, at_the_edge))
        return asked

    def _found(self, asked: _Asked) -> _Found:
        wanted = words(asked.query.q)
        if not wanted:
            return self._listed(asked)
        as_they_are = self._as_they_are(wanted)
        found = self._ask(asked.besides(as_they_are), few=True)
        if any(found.statuses.values()) or found.customers:
            return found
        forgiven = self._forgiven(wanted, as_they_are)
        if forgiven == as_they_are:
            return found
        return self._ask(asked.besides(forgiven), few=True)

    def _listed(self, asked: _Asked) -> _Found:
        """What is found without words. Of a whole fleet the index would sort all for each page.

        PostgreSQL has it in order, and says at once where the page ends. Unless the index knows
        less than that, for one of the two is ahead.
        """
        query = asked.query
        end = self._relational.end_of_page(query) if has_in_order(query) else None
        if end is not None:
            short = [ask.until(end, part, query.sort) for part in asked.parts]
            found = self._ask(asked._replace(parts=short), few=False)
            if len(found.hits) > query.limit:
                return found
        return self._ask(asked, few=False)

    def _as_they_are(self, wanted: list[str]) -> list[Query]:
        """A query a word.

        Names that begin so are in the index. Within them few words are ever found, which
        PostgreSQL sees at once: it has each name once.
        """
        named = self._relational.named([*filter(is_beginning, wanted)], MOST_NAMED + 1)
        all_of_them = {word: ids for word, ids in named.items() if len(ids) <= MOST_NAMED}
        return [ask.with_fragment(word, all_of_them.get(word)) for word in wanted]

    def _forgiven(self, wanted: list[str], as_they_are: list[Query]) -> list[Query]:
        """A query a word, those that are nowhere as they are with a typo."""
        found = answers(self._client, self._alias, [ask.anywhere(one) for one in as_they_are])
        return [
            ask.begins_with_a_typo(word)
            if len(word) >= SHORTEST_FORGIVEN and not _count(one)
            else as_it_is
            for word, as_it_is, one in zip(wanted, as_they_are, found, strict=True)
        ]

    def _ask(self, asked: _Asked, *, few: bool) -> _Found:
        """What the index answers; in one search if few are expected to be found.

        The position comes first: so what is found is at least as new.
        """
        query, at, filters, parts = asked
        pages = [ask.listed(part, filters) for part in parts]
        if few:
            pages[0] = ask.listed_and_counted(parts[0], query, filters, at)
            counts = [ask.position()]
        else:
            counts = [ask.position_and_spared(query, filters, at), *ask.counts(query, filters, at)]
        patient = [ask.patient(query.silent_for)] if query.silent_for is not None else []
        found = answers(self._client, self._alias, [*counts, *patient, *pages])
        if patient and _count(found[len(counts)]):
            raise _OnlyHeartbeatsTell
        facets = dict(chain.from_iterable(one.get("aggregations", {}).items() for one in found))
        hits = [
            (part.status or hit["sort"][0], hit["sort"][-1])
            for part, answer in zip(parts, found[-len(parts) :], strict=True)
            for hit in answer["hits"]["hits"]
        ]
        return _Found(
            position=int(facets["position"]["value"] or 0),
            statuses=_statuses(_buckets(facets["statuses"]), facets["spared"]["doc_count"]),
            customers=_buckets(facets["customers"]) if "customers" in facets else None,
            hits=hits,
        )

    def _page(self, query: VehicleQuery, found: _Found) -> VehiclePage:
        hits = found.hits[: query.limit]
        vins = [vin for _, vin in hits]
        ids = vehicle_streams(vins)
        if found.customers is None:
            known = self._customer_vehicles.known_and_largest(ids, MOST_CUSTOMERS)
            counts = {str(id_): size for id_, size in known.fleet_sizes.items()}
        else:
            known = self._customer_vehicles.known(ids, found.customers)
            counts = dict(found.customers)
        views = {view.vehicle.vin: view for view in known.vehicles.values()}
        # One model may be some events ahead of the other: a vehicle that PostgreSQL does not know
        # yet, or any more, can be neither shown nor counted.
        items = [views[vin] for vin in vins if vin in views]
        total = sum(found.statuses[status] for status in set(query.statuses) or STATUSES)
        more = len(found.hits) > len(hits)
        return VehiclePage(
            items=items,
            total=total - (len(hits) - len(items)),
            statuses=found.statuses,
            customers=_customers(counts, known.customer_names),
            next_cursor=_cursor(query, *hits[-1]) if more else None,
            position=min(known.position, found.position),
        )


def _place(query: VehicleQuery) -> ask.Place | None:
    """The place after which the page begins."""
    if query.cursor is None:
        return None
    sort, key, vin = decode_cursor(query.cursor, tuple[str, str, str])
    if sort != query.sort or (sort.lstrip("-") == "status" and key not in STATUSES):
        raise invalid_cursor()
    if sort.lstrip("-") == _BY_HEARTBEAT:
        return to_microseconds(instant_in(key)), vin
    return key, vin


def _cursor(query: VehicleQuery, key: str | int, vin: str) -> str:
    text = key if isinstance(key, str) else from_microseconds(key).isoformat()
    return encode_cursor(query.sort, text, vin)


def _statuses(judged: Mapping[str, int], spared: int) -> dict[Status, int]:
    """Those that were judged silent and are not by now are connected.

    Between the two counts the index may have been refreshed.
    """
    silent = judged.get("disconnected", 0)
    connected = min(spared, silent)
    return {
        "connected": judged.get("connected", 0) + connected,
        "disconnected": silent - connected,
        "never_seen": judged.get("never_seen", 0),
    }


def _customers(counts: Mapping[str, int], names: Mapping[UUID, str]) -> list[CustomerCount]:
    """By name. A UUID is slow to make of a text, so it is made of those only that have none."""
    named = [CustomerCount(id_, name, counts[str(id_)]) for id_, name in names.items()]
    if len(named) < len(counts):
        nameless = counts.keys() - {str(id_) for id_ in names}
        named += [CustomerCount(UUID(id_), "", counts[id_]) for id_ in nameless]
    return sorted(named, key=lambda c: (folded(c.name), c.customer_id))


def _buckets(facet: Any) -> dict[str, int]:
    """What was counted, of all or under another's filter."""
    return {one["key"]: one["doc_count"] for one in facet.get("under", facet)["buckets"]}


def _count(answer: Any) -> int:
    count: int = answer["hits"]["total"]["value"]
    return count
