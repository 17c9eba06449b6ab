"""What the index answers to a query: found as it was typed, or with a typo where nothing is."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from elasticsearch import NotFoundError

from projections.customer_vehicles.model import STATUSES
from projections.elasticsearch import answers
from projections.elasticsearch_index import found_position
from projections.vehicle_search import elasticsearch_query as ask
from projections.vehicle_search.document import is_beginning
from projections.vehicle_search.model import SHORTEST_FORGIVEN
from projections.vehicle_search.remembered import Remembered, Seen
from projections.vehicle_search.words import words

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from elasticsearch import Elasticsearch

    from projections.customer_vehicles.model import Status
    from projections.vehicle_search.elasticsearch_query import Query
    from projections.vehicle_search.hints import Hints
    from projections.vehicle_search.model import VehicleQuery

MOST_BEGUN = 3_000
"""Among more of the fleet the index finds a page no faster than it sorts all that are found."""

WHOLE = Seen(many=True, reach=1)
"""Of a whole fleet the page is just its beginning."""


class OnlyHeartbeatsTell(Exception):
    """The index cannot answer; PostgreSQL can."""


class Asked(NamedTuple):
    """A query in the index's terms: what holds for all that is found, and the parts of the page.

    `few` if few are expected to be found, where it was never asked before.
    """

    query: VehicleQuery
    at: ask.Instant
    filters: Sequence[Query]
    parts: Sequence[ask.List]
    few: bool = False
    forgiven: bool = False

    def with_words(self, words: Sequence[Query], *, forgiven: bool = False) -> Asked:
        """The same, and these are found."""
        return self._replace(filters=[*words, *self.filters], few=True, forgiven=forgiven)

    @property
    def search(self) -> Hashable:
        """What it is remembered by: the same for each page, but for those of another status."""
        return replace(self.query, limit=0, cursor=None), self.parts[0].status, self.forgiven


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
        self._remembered = Remembered()

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
        found = self._listed(asked.with_words(as_they_are))
        if any(found.statuses.values()) or found.customers:
            return found
        forgiven = self._forgiven(asked, wanted, as_they_are)
        if forgiven == as_they_are:
            return found
        return self._listed(asked.with_words(forgiven, forgiven=True))

    def _listed(self, asked: Asked) -> Found:
        """What is found, its page looked for at first in the beginning of the whole fleet.

        The index would sort all that are found for each page. PostgreSQL has the fleet in order,
        and says at once where some pages of it end: so many as what was found last time asks for.
        """
        query, first, search = asked.query, asked.parts[0], asked.search
        of_all = query.counts_whole_fleets and not query.customer_ids
        is_whole = of_all and first.status is None
        seen = WHOLE if is_whole else self._remembered.of(search) or Seen(not asked.few, 0)
        found = self._begun(asked, seen) or self._ask(asked, few=not seen.many)
        statuses = {first.status} if first.status else {*query.statuses} or STATUSES
        self._remembered.found(
            search,
            counted=sum(found.statuses.values()),
            listed=sum(found.statuses[status] for status in statuses),
        )
        return found

    def _begun(self, asked: Asked, seen: Seen) -> Found | None:
        """What is found, its page in the beginning of the fleet; None if it is not in that."""
        first, size = asked.parts[0], seen.reach * asked.query.limit
        if not 0 < size <= MOST_BEGUN:
            return None
        page = first.sort, first.after, size
        known = self._remembered.end(page)
        end = known or self._end(*page)
        if end is None:
            return None
        found = self._ask(asked._replace(parts=[ask.until(end, first)]), few=not seen.many)
        share = len(found.hits) / asked.query.limit
        if share > 1:
            return found
        if known and self._end(*page) != known:
            return self._begun(asked, seen)
        self._remembered.missed(asked.search, seen, share)
        return None

    def _end(self, sort: str, after: ask.Place | None, size: int) -> str | None:
        """Where a page of the whole fleet ends now; from then on that is known."""
        end = self._hints.end_of_page(sort, after, size)
        self._remembered.ended((sort, after, size), end)
        return end

    def _as_they_are(self, wanted: list[str]) -> list[Query]:
        """A query a word.

        Names that begin so are in the index. Within them few words are ever found, which
        PostgreSQL sees at once: it has each name once.
        """
        named = self._hints.named([*filter(is_beginning, wanted)])
        return [ask.with_fragment(word, named.get(word)) for word in wanted]

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
        """What the index answers; counted and listed by one search if few are found.

        The position comes first: so what is found is at least as new.
        """
        query, at, filters, (part, *others) = asked[:4]
        if few:
            others_too = ask.customers(query, filters, at) if query.customer_ids else []
            counts = [ask.position(), *others_too]
            page = ask.listed_and_counted(part, query, filters, at)
        else:
            counts = [ask.position_and_spared(query, filters, at), *ask.counts(query, filters, at)]
            page = ask.listed(part, filters)
        patient = [ask.patient(query.silent_for)] if query.silent_for is not None else []
        found = answers(self._client, self._alias, [*counts, *patient, page])
        if patient and _count(found[len(counts)]):
            raise OnlyHeartbeatsTell
        facets = dict(chain.from_iterable(one.get("aggregations", {}).items() for one in found))
        hits = _hits(part, found[-1])
        for other in others:
            if len(hits) > query.limit:
                break
            hits += _hits(other, *answers(self._client, self._alias, [ask.listed(other, filters)]))
        return Found(
            position=int(facets["position"]["value"] or 0),
            statuses=_statuses(_buckets(facets["statuses"]), facets["spared"]["doc_count"]),
            customers=_buckets(facets["customers"]) if "customers" in facets else None,
            hits=hits,
        )


def _hits(part: ask.List, answer: Any) -> list[ask.Place]:
    """Of an answer without any, the list is left out."""
    return [
        (part.status or hit["sort"][0], hit["sort"][-1])
        for hit in answer.get("hits", {}).get("hits", ())
    ]


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
