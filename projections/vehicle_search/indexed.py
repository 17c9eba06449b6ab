"""What the index answers to a query: found as it was typed, or with a typo where nothing is."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from elasticsearch import NotFoundError

from projections.elasticsearch import answers
from projections.elasticsearch_index import found_position
from projections.vehicle_search import elasticsearch_query as ask
from projections.vehicle_search.document import is_beginning
from projections.vehicle_search.model import SHORTEST_FORGIVEN
from projections.vehicle_search.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elasticsearch import Elasticsearch

    from projections.customer_vehicles.model import Status
    from projections.vehicle_search.elasticsearch_query import Query
    from projections.vehicle_search.hints import Hints
    from projections.vehicle_search.model import VehicleQuery

MOST_NAMED = 100
"""A word within more customers' names than these is looked for in all that the index knows."""


class OnlyHeartbeatsTell(Exception):
    """The index cannot answer; PostgreSQL can."""


class Asked(NamedTuple):
    """A query in the index's terms: what holds for all that is found, and the parts of the page."""

    query: VehicleQuery
    at: ask.Instant
    filters: Sequence[Query]
    parts: Sequence[ask.List]

    def besides(self, more: Sequence[Query]) -> Asked:
        """The same, and these hold too."""
        return self._replace(filters=[*more, *self.filters])


class Found(NamedTuple):
    """What the index answered, of `position` or later; of customers only if it was asked."""

    position: int
    statuses: Mapping[Status, int]
    customers: Mapping[str, int] | None
    hits: list[ask.Place]


class IndexedVehicles:
    """The index behind an alias. `hints` are of the tables that it is a copy of."""

    def __init__(self, client: Elasticsearch, alias: str, hints: Hints) -> None:
        self._client = client
        self._alias = alias
        self._hints = hints

    def position(self) -> int:
        """The position of the log that answers are of; 0 while there is no index."""
        try:
            return found_position(self._client, self._alias)[1]
        except NotFoundError:
            return 0

    def found(self, asked: Asked) -> Found:
        """What is found. Errors: `OnlyHeartbeatsTell`, `Unavailable`, the client's."""
        wanted = words(asked.query.q)
        if not wanted:
            return self._listed(asked)
        as_they_are = self._as_they_are(wanted)
        found = self._ask(asked.besides(as_they_are), few=True)
        if any(found.statuses.values()) or found.customers:
            return found
        forgiven = self._forgiven(asked, wanted, as_they_are)
        if forgiven == as_they_are:
            return found
        return self._ask(asked.besides(forgiven), few=True)

    def _listed(self, asked: Asked) -> Found:
        """What is found without words. Of a whole fleet the index would sort all for each page.

        PostgreSQL has it in order, and says at once where the page ends. Unless the index knows
        less than that, for one of the two is ahead.
        """
        query = asked.query
        end = self._hints.end_of_page(query)
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
        named = self._hints.named([*filter(is_beginning, wanted)], MOST_NAMED + 1)
        all_of_them = {word: ids for word, ids in named.items() if len(ids) <= MOST_NAMED}
        return [ask.with_fragment(word, all_of_them.get(word)) for word in wanted]

    def _forgiven(self, asked: Asked, wanted: list[str], as_they_are: list[Query]) -> list[Query]:
        """A query a word, those that are nowhere as they are with a typo."""
        nowhere = self._nowhere(asked, as_they_are)
        return [
            ask.begins_with_a_typo(word)
            if len(word) >= SHORTEST_FORGIVEN and is_nowhere
            else as_it_is
            for word, as_it_is, is_nowhere in zip(wanted, as_they_are, nowhere, strict=True)
        ]

    def _nowhere(self, asked: Asked, words: list[Query]) -> list[bool]:
        """Of each word whether no vehicle has it. Nothing was found of what is asked for.

        So that is known of the only word, if nothing else is asked that statuses are counted under.
        """
        if len(words) == 1 and not asked.filters and not asked.query.customer_ids:
            return [True]
        found = answers(self._client, self._alias, [ask.anywhere(one) for one in words])
        return [not _count(one) for one in found]

    def _ask(self, asked: Asked, *, few: bool) -> Found:
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
            raise OnlyHeartbeatsTell
        facets = dict(chain.from_iterable(one.get("aggregations", {}).items() for one in found))
        hits = [
            (part.status or hit["sort"][0], hit["sort"][-1])
            for part, answer in zip(parts, found[-len(parts) :], strict=True)
            for hit in answer["hits"]["hits"]
        ]
        return Found(
            position=int(facets["position"]["value"] or 0),
            statuses=_statuses(_buckets(facets["statuses"]), facets["spared"]["doc_count"]),
            customers=_buckets(facets["customers"]) if "customers" in facets else None,
            hits=hits,
        )


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


def _buckets(facet: Any) -> dict[str, int]:
    """What was counted, of all or under another's filter."""
    return {one["key"]: one["doc_count"] for one in facet.get("under", facet)["buckets"]}


def _count(answer: Any) -> int:
    count: int = answer["hits"]["total"]["value"]
    return count
