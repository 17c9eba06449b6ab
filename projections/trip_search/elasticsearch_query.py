"""What is asked of a trip, in Elasticsearch's terms. Pure.

It may find a few too many, for they are judged again by PostgreSQL, but never too few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.trip_search.index import DECIMALS
from projections.vehicle_search.elasticsearch_query import Query, any_of, containing
from vehicle_tracker.domain.values import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.trip_search.names import Named
    from projections.trips.model import TripQuery
    from projections.vehicle_search.model import Box

_MARGIN = 10**-DECIMALS
_NEWEST_FIRST: list[Query] = [{"started_us": "desc"}, {"trip_id": "desc"}]


def request(
    query: TripQuery, named: Iterable[Named], after: tuple[int, str] | None, size: int
) -> Query:
    """A search for the trips after a place in the list, those that began last first."""
    asked: list[Query] = [{"term": {"kind": "trip"}}, *map(_with_word, named)]
    if query.vin is not None:
        asked.append({"term": {"vin": query.vin}})
    if query.customer_ids:
        asked.append({"terms": {"customer_id": [str(id_) for id_ in query.customer_ids]}})
    if query.since:
        asked += _not_over_before(to_microseconds(query.since))
    if query.until:
        asked.append({"range": {"started_us": {"lt": to_microseconds(query.until)}}})
    if query.box:
        asked.append(_through(query.box))
    return {
        "query": {"bool": {"filter": asked}},
        "sort": _NEWEST_FIRST,
        "size": size,
        "track_total_hits": False,
        "_source": False,
        **({"search_after": list(after)} if after else {}),
    }


def _with_word(named: Named) -> Query:
    driver = containing("tokens", named.word)
    vehicles: Query = {"terms": {"vin": list(named.vins)}}
    customers: Query = {"terms": {"customer_id": list(named.customer_ids)}}
    return any_of([driver, vehicles, customers])


def _not_over_before(since_us: int) -> list[Query]:
    is_open: Query = {"bool": {"must_not": {"exists": {"field": "ended_us"}}}}
    return [any_of([{"range": {"ended_us": {"gte": since_us}}}, is_open])]


def _through(box: Box) -> Query:
    """A little wider than asked for, as the places in the index are rounded."""
    west, east = max(-180.0, box.west - _MARGIN), min(180.0, box.east + _MARGIN)
    if box.west > box.east and west <= east:
        west, east = -180.0, 180.0
    corners = {
        "top_left": {"lat": min(90.0, box.north + _MARGIN), "lon": west},
        "bottom_right": {"lat": max(-90.0, box.south - _MARGIN), "lon": east},
    }
    return {"geo_bounding_box": {"places": corners}}
