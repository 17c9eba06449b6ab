"""What is asked of a vehicle, in Elasticsearch's terms. Pure; nothing typed is ever a pattern."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.customer_vehicles.model import STATUSES
from projections.vehicle_search.document import label
from projections.vehicle_search.model import MOST_CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.customer_vehicles.model import Status
    from projections.vehicle_search.model import Box, Circle, VehicleQuery

Query = dict[str, Any]

_MICROSECOND = timedelta(microseconds=1)
_SPECIAL = re.compile(r"([\\*?])")
_POSITION: Query = {"term": {"kind": "position"}}
_IN_USE: Query = {"term": {"in_use": True}}
_STATUS_ORDER = """
    if (doc['last_heartbeat_us'].size() == 0) { return 2 }
    if (doc['connected_until_us'].size() == 0) {
        return doc['last_heartbeat_us'].value >= params.since ? 0 : 1
    }
    return doc['connected_until_us'].value >= params.now ? 0 : 1
"""


class Instant(NamedTuple):
    """When statuses are asked for, and since when who has no limit must have been heard."""

    now_us: int
    since_us: int


def with_fragment(word: str) -> Query:
    """The word is somewhere in the vehicle, as it is."""
    literally = _SPECIAL.sub(r"\\\1", word)
    return {"wildcard": {"tokens": {"value": f"*{literally}*"}}}


def begins_with_a_typo(word: str) -> Query:
    """The word is the beginning of one of the vehicle's, with one typo."""
    fuzzy = {"value": word, "fuzziness": 1, "rewrite": "constant_score"}
    return {"fuzzy": {"words": fuzzy}}


def any_of(queries: Sequence[Query]) -> Query:
    """At least one of these holds."""
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


def filters(query: VehicleQuery, now_us: int) -> list[Query]:
    """What is asked besides words, status and customer: the facets are counted without those."""
    asked = [{"term": {"label": label(key, value)}} for key, value in query.labels]
    if query.silent_for is not None:
        asked.append(_seen(lt=now_us - _microseconds(query.silent_for)))
    if query.box:
        asked += _in_box(query.box)
    if query.near:
        asked.append(_near(query.near))
    return asked


def request(
    query: VehicleQuery, asked: Sequence[Query], now_us: int, limit_us: int
) -> dict[str, Any]:
    """A search for one page, its total, its facets and the position, all of one instant.

    The position is a hit like the vehicles, so that it is as old as they are, and then left out.
    """
    at = Instant(now_us, now_us - limit_us)
    of_status = _any_of([_is(status, at) for status in query.statuses])
    customers = [str(id_) for id_ in query.customer_ids]
    of_customer = [{"terms": {"customer_id": customers}}] if customers else []
    groups = {"filters": {"filters": {status: _is(status, at) for status in STATUSES}}}
    most = {"_count": "desc"}, {"_key": "asc"}
    by_customer = {"field": "customer_id", "size": MOST_CUSTOMERS, "order": list(most)}
    found = {"bool": {"filter": [_IN_USE, *asked]}}
    return {
        "query": {"bool": {"should": [_POSITION, found], "minimum_should_match": 1}},
        "post_filter": {"bool": {"filter": [_IN_USE, *of_status, *of_customer]}},
        "aggs": {
            "position": {"filter": _POSITION, "aggs": {"is": {"max": {"field": "position"}}}},
            "statuses": {
                "filter": {"bool": {"filter": [_IN_USE, *of_customer]}},
                "aggs": {"by": groups},
            },
            "customers": {
                "filter": {"bool": {"filter": [_IN_USE, *of_status]}},
                "aggs": {"by": {"terms": by_customer}},
            },
        },
        "sort": order(query.sort, at),
        "size": query.limit + 1,
        "track_total_hits": True,
        "_source": False,
    }


def is_volatile(sort: str) -> bool:
    """True of an order in which heartbeats and time alone move vehicles about."""
    return sort.lstrip("-") in ("status", "last_heartbeat_at")


def order(sort: str, at: Instant) -> list[Query]:
    """By a key, then by VIN."""
    direction = "desc" if sort.startswith("-") else "asc"
    params = {"now": at.now_us, "since": at.since_us}
    keys: dict[str, Query] = {
        "registration_number": {"registration_number": {"order": direction}},
        "vin": {"vin": {"order": direction}},
        "customer": {"customer_folded": {"order": direction}},
        "status": {
            "_script": {
                "type": "number",
                "order": direction,
                "script": {"source": _STATUS_ORDER, "params": params},
            }
        },
        "last_heartbeat_at": {"last_heartbeat_us": {"order": direction, "missing": "_last"}},
    }
    return [keys[sort.lstrip("-")], {"vin": {"order": "asc"}}]


def _is(status: Status, at: Instant) -> Query:
    if status == "never_seen":
        return _without("last_heartbeat_us")
    edge = "gte" if status == "connected" else "lt"
    limited = {"range": {"connected_until_us": {edge: at.now_us}}}
    default = {"bool": {"filter": [_seen(**{edge: at.since_us}), _without("connected_until_us")]}}
    return {"bool": {"should": [limited, default], "minimum_should_match": 1}}


def _without(field: str) -> Query:
    return {"bool": {"must_not": {"exists": {"field": field}}}}


def _seen(**bounds: int) -> Query:
    return {"range": {"last_heartbeat_us": bounds}}


def _any_of(queries: list[Query]) -> list[Query]:
    return [any_of(queries)] if queries else []


def _in_box(box: Box) -> list[Query]:
    if box.west <= box.east:
        between: Query = {"range": {"longitude": {"gte": box.west, "lte": box.east}}}
    else:
        east, west = {"lte": box.east}, {"gte": box.west}
        (between,) = _any_of([{"range": {"longitude": side}} for side in (east, west)])
    return [{"range": {"latitude": {"gte": box.south, "lte": box.north}}}, between]


def _near(circle: Circle) -> Query:
    place = {"lat": circle.latitude, "lon": circle.longitude}
    return {"geo_distance": {"distance": f"{circle.km}km", "location": place}}


def _microseconds(duration: timedelta) -> int:
    return duration // _MICROSECOND
