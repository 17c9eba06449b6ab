"""What is asked of a vehicle, in Elasticsearch's terms. Pure; nothing typed is ever a pattern."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.customer_vehicles.model import STATUSES
from projections.vehicle_search.document import IN_A_ROW, label
from projections.vehicle_search.model import MOST_CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.customer_vehicles.model import Status
    from projections.vehicle_search.covered import Block
    from projections.vehicle_search.model import VehicleQuery

Query = dict[str, Any]

_SPECIAL = re.compile(r"([*?\\])")
"""What stands for something else in a pattern of `wildcard`."""

_MICROSECOND = timedelta(microseconds=1)
_IN_USE: Query = {"term": {"kind": "vehicle"}}
_POSITION: Query = {"term": {"kind": "position"}}


Place = tuple[str | int, str]
"""Where a page ended: a key in the order, in microseconds if it is an instant; and a VIN."""


class Instant(NamedTuple):
    """When statuses are asked for, and since when who has no limit must have been heard."""

    now_us: int
    since_us: int


def with_fragment(word: str, named: Sequence[str] | None) -> Query:
    """The word is somewhere in the vehicle, as it is: its rows of characters follow each other.

    Mostly it is the beginning of one of the vehicle's words, which is one list to read. Then where
    its rows are is not looked at: of words that most vehicles have, that would take seconds.
    `named` are the customers with the word within a word of their name; if they are not known,
    all names are looked through, in each segment of the index.
    """
    owned: list[Query] = [{"terms": {"customer_id": list(named)}}] if named else []
    in_a_name = [containing("customer_folded", word)] if named is None else owned
    if len(word) < IN_A_ROW:
        return any_of([{"prefix": {"fragments": {"value": word}}}, *in_a_name])
    return any_of([{"term": {"words": word}}, {"match_phrase": {"fragments": word}}, *in_a_name])


def containing(field: str, text: str) -> Query:
    """The text is somewhere in a keyword, as it is: each one there is is looked through."""
    literally = _SPECIAL.sub(r"\\\1", text)
    return {"wildcard": {field: {"value": f"*{literally}*"}}}


def begins_with_a_typo(word: str) -> Query:
    """The word is the beginning of one of the vehicle's, with one typo."""
    fuzzy = {"value": word, "fuzziness": 1, "rewrite": "constant_score"}
    return {"fuzzy": {"words": fuzzy}}


def any_of(queries: Sequence[Query]) -> Query:
    """At least one of these holds."""
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


def in_cells(inside: Sequence[Block], at_the_edge: Sequence[str]) -> Query:
    """It is in a cell inside a shape, or one of those at its edge: these VINs."""
    return any_of([*_in_blocks(inside), {"terms": {"vin": list(at_the_edge)}}])


def _in_blocks(blocks: Sequence[Block]) -> list[Query]:
    return [
        _all_of(
            [
                {"range": {"grid_row": {"gte": block.bottom, "lte": block.top}}},
                {"range": {"grid_column": {"gte": block.west, "lte": block.east}}},
            ]
        )
        for block in blocks
    ]


def filters(query: VehicleQuery, at: Instant) -> list[Query]:
    """What is asked besides words, places, status and customer.

    Status and customer are not among what the facets are counted under.
    """
    asked: list[Query] = [{"term": {"label": label(key, value)}} for key, value in query.labels]
    if query.silent_for is not None:
        asked.append(_heard(lt=at.now_us - query.silent_for // _MICROSECOND))
    return asked


def position() -> Query:
    """The position of the index."""
    return _summed(_POSITION, {"position": {"max": {"field": "position"}}})


def position_and_spared(query: VehicleQuery, asked: Sequence[Query], at: Instant) -> Query:
    """The position of the index, and how many are `spared` of those whose statuses are counted.

    That is of an instant, so Elasticsearch cannot keep it as it keeps what `counts` asks.
    """
    spared = _all_of([_IN_USE, *asked, *_of_customer(query), _spared(at)])
    found = position()
    return {
        **found,
        "query": any_of([_POSITION, spared]),
        "aggs": {**found["aggs"], "spared": {"filter": _IN_USE}},
    }


def patient(silent_for: timedelta) -> Query:
    """Whether a vehicle may be silent for that long without being disconnected."""
    longer = {"range": {"limit_s": {"gt": silent_for.total_seconds()}}}
    return {"query": _all_of([_IN_USE, longer]), **_WHETHER}


def anywhere(word: Query) -> Query:
    """Whether a word is in any vehicle."""
    return {"query": _all_of([_IN_USE, word]), **_WHETHER}


def counts(query: VehicleQuery, asked: Sequence[Query], at: Instant) -> list[Query]:
    """Searches that count: how many are in each status that was judged, and whose how many are.

    Neither is counted under its own filter. If there is none they are one search, and what is
    asked is looked at once; a filter within a search would look at each vehicle. Mostly they are
    of no instant, so until the index changes Elasticsearch counts them once. Nothing but a vehicle
    in use has a status or a customer, so it is not asked whether it is one: all is read faster.
    """
    if not query.statuses and not query.customer_ids and not query.counts_whole_fleets:
        return [_summed(_all_of(asked), {"statuses": _STATUSES, "customers": _CUSTOMERS})]
    found = _all_of([*asked, *_of_customer(query)])
    return [_summed(found, {"statuses": _STATUSES}), *customers(query, asked, at)]


def customers(query: VehicleQuery, asked: Sequence[Query], at: Instant) -> list[Query]:
    """A search that counts whose how many are; none for whole fleets, PostgreSQL knows them."""
    if query.counts_whole_fleets:
        return []
    return [_summed(_all_of([*asked, *_of_status(query, at)]), {"customers": _CUSTOMERS})]


def _summed(found: Query, what: Query) -> Query:
    return {"query": found, "aggs": what, "size": 0, "track_total_hits": False}


_STATUSES: Query = {"terms": {"field": "status"}}
_CUSTOMERS: Query = {
    "terms": {
        "field": "customer_id",
        "size": MOST_CUSTOMERS,
        "order": [{"_count": "desc"}, {"_key": "asc"}],
    }
}


class List(NamedTuple):
    """A part of a page: what of all that is found is shown in it, and in which order after what.

    `status` is that of all its hits, if the page is sorted by status.
    """

    status: Status | None
    shown: list[Query]
    sort: str
    after: Place | None
    size: int

    @property
    def order(self) -> Query:
        """By a key, then by VIN."""
        key = self.sort.lstrip("-")
        keys: list[Query] = [{_FIELDS[key]: {"order": "asc" if key == self.sort else "desc"}}]
        if key != "vin":
            keys.append({"vin": {"order": "asc"}})
        after = {"search_after": self.after[-len(keys) :]} if self.after else {}
        return {"sort": keys, "size": self.size, **_BARE, **after}


def lists(query: VehicleQuery, at: Instant, after: Place | None) -> list[List]:
    """Lists of which the hits, one after the other, are the page and more.

    `after` are key and VIN of the last one of the page before. The order by status is a list a
    status.
    """
    shown, size = [*_of_status(query, at), *_of_customer(query)], query.limit + 1
    if query.sort.lstrip("-") != "status":
        return [List(None, shown, query.sort, after, size)]
    statuses = sorted(STATUSES, reverse=query.sort.startswith("-"))
    begun = next((n for n, one in enumerate(statuses) if after and one == after[0]), 0)
    first, *others = (
        List(status, [*shown, _is(status, at)], "vin", None, size) for status in statuses[begun:]
    )
    return [first._replace(after=after and (after[1], after[1])), *others]


def until(key: str, part: List) -> List:
    """What of a part comes before this key in its order, or has it."""
    bound = "gte" if part.sort.startswith("-") else "lte"
    before = {"range": {_FIELDS[part.sort.lstrip("-")]: {bound: key}}}
    return part._replace(shown=[*part.shown, before])


def listed(part: List, asked: Sequence[Query]) -> Query:
    """A search for a part of a page. Whoever does not count can stop where the page ends."""
    return {"query": _all_of([_IN_USE, *asked, *part.shown]), **part.order}


def listed_and_counted(
    part: List, query: VehicleQuery, asked: Sequence[Query], at: Instant
) -> Query:
    """The same, and all that `counts` do: for what is dear to find and mostly little.

    If customers are chosen only their vehicles are looked at: whose others are is another search.
    Each hit is looked at to be counted. So none can be passed over for the page, and to prepare for
    that in each segment would take as long as all the rest; whoever wants the total does not.
    """
    of_status, of_customer = _of_status(query, at), _of_customer(query)
    facets: Query = {"spared": {"filter": _spared(at)}, "statuses": _STATUSES}
    if not of_customer:
        facets["customers"] = _under(of_status, _CUSTOMERS)
    found = _all_of([_IN_USE, *asked, *of_customer])
    shown = {"post_filter": _all_of(part.shown)} if part.shown else {}
    return {"query": found, **shown, "aggs": facets, **part.order, "track_total_hits": True}


def _under(filters: Sequence[Query], facet: Query) -> Query:
    """Counted of those of the vehicles found for which the filters hold.

    Without any it is not asked of each vehicle whether they do: a fifth less for 300,000.
    """
    return {"filter": _all_of(filters), "aggs": {"under": facet}} if filters else facet


_WHETHER: Query = {"size": 0, "terminate_after": 1, "track_total_hits": True}
"""One hit is enough."""

_BARE: Query = {"_source": False, "stored_fields": "_none_", "track_total_hits": False}
"""Only what it is sorted by: that is enough to look it up."""

_FIELDS = {
    "registration_number": "registration_number",
    "vin": "vin",
    "customer": "customer_folded",
    "last_heartbeat_at": "last_heartbeat_us",
}


def _of_status(query: VehicleQuery, at: Instant) -> list[Query]:
    return [any_of([_is(status, at) for status in query.statuses])] if query.statuses else []


def _of_customer(query: VehicleQuery) -> list[Query]:
    ids = [str(id_) for id_ in query.customer_ids]
    return [{"terms": {"customer_id": ids}}] if ids else []


def _is(status: Status, at: Instant) -> Query:
    judged: Query = {"term": {"status": status}}
    if status == "connected":
        return any_of([judged, _spared(at)])
    if status == "disconnected":
        return {"bool": {"filter": [judged], "must_not": [_spared(at)]}}
    return judged


def _spared(at: Instant) -> Query:
    """It was judged silent, but is not by now: the index is ahead of us, or the limit longer since.

    Whoever was not judged silent has none of these fields.
    """
    limited: Query = {"exists": {"field": "connected_until_us"}}
    default = {"bool": {"filter": [_heard(gte=at.since_us)], "must_not": [limited]}}
    return any_of([{"range": {"connected_until_us": {"gte": at.now_us}}}, default])


def _heard(**bounds: int) -> Query:
    return {"range": {"last_heartbeat_us": bounds}}


def _all_of(queries: Sequence[Query]) -> Query:
    return {"bool": {"filter": list(queries)}}
