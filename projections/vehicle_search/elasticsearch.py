"""Finding vehicles in Elasticsearch. What is shown of them is what PostgreSQL knows."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from elastic_transport import TransportError
from elasticsearch import ApiError, BadRequestError, NotFoundError

from projections.customer_vehicles.model import STATUSES
from projections.elasticsearch import told_to_clients, unavailable
from projections.elasticsearch_index import found_position
from projections.paging import decode_cursor, encode_cursor, invalid_cursor
from projections.text import folded
from projections.vehicle_search.elasticsearch_query import (
    begins_with_a_typo,
    filters,
    is_volatile,
    request,
    with_fragment,
)
from projections.vehicle_search.model import SHORTEST_FORGIVEN, CustomerCount, VehiclePage
from projections.vehicle_search.words import words
from vehicle_tracker.domain.values import to_microseconds
from vehicle_tracker.errors import Invalid
from vehicle_tracker.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from elasticsearch import Elasticsearch

    from projections.customer_vehicles.model import CustomerVehicles
    from projections.vehicle_search.elasticsearch_query import Query
    from projections.vehicle_search.model import VehicleQuery

KEPT_FOR = timedelta(minutes=2)
"""So long, from one page to the next, a list stands still that would move under its reader."""

_KEEP_ALIVE = f"{KEPT_FOR.seconds}s"


class _Cursor(NamedTuple):
    """Where a page ended: the place in the order and, where that moves, the list that stands still.

    It then stands still as of `now_us`.
    """

    sort: str
    after: list[str | int | float]
    snapshot: str | None
    now_us: int


class ElasticsearchVehicleSearch:
    """`VehicleSearch` on the index behind an alias, its pages filled in from `known`."""

    def __init__(
        self,
        client: Elasticsearch,
        alias: str,
        customer_vehicles: CustomerVehicles,
        disconnect_after_s: int,
    ) -> None:
        self._client = client
        self._alias = alias
        self._known = customer_vehicles.known
        self._limit_us = disconnect_after_s * 1_000_000

    def position(self) -> int:
        """The position of the log that a search would answer of; 0 while there is nothing."""
        with _told_to_clients():
            try:
                return found_position(self._client, self._alias)[1]
            except NotFoundError:
                return 0

    def search(self, query: VehicleQuery, now: datetime) -> VehiclePage:
        """A page of the vehicles, of the older of the positions of both read models."""
        now_us = to_microseconds(now)
        place = _place(query) if query.cursor is not None else None
        with _told_to_clients(place):
            if place is None:
                place = _Cursor(query.sort, [], self._snapshot(query.sort), now_us)
            answer = self._answer(query, place)
        return self._page(query, place, answer)

    def _snapshot(self, sort: str) -> str | None:
        """A view of the index that stays as it is, for an order that does not."""
        if not is_volatile(sort):
            return None
        return str(self._client.open_point_in_time(index=self._alias, keep_alive=_KEEP_ALIVE)["id"])

    def _answer(self, query: VehicleQuery, place: _Cursor) -> Any:
        wanted = words(query.q)
        as_they_are = [with_fragment(word) for word in wanted]
        answer = self._ask(query, place, as_they_are)
        if not wanted or _finds_something(answer):
            return answer
        forgiven = self._forgiven(wanted, as_they_are, place)
        return answer if forgiven == as_they_are else self._ask(query, place, forgiven)

    def _forgiven(self, wanted: list[str], as_they_are: list[Query], place: _Cursor) -> list[Query]:
        """A query a word, those that are nowhere as they are with a typo."""
        searches: list[Query] = []
        for one in as_they_are:
            only_in_use = {"bool": {"filter": [{"term": {"in_use": True}}, one]}}
            body = {"query": only_in_use, "size": 0, "terminate_after": 1}
            searches += [{}, {**body, **_of(place)}]
        target = None if place.snapshot else self._alias
        answers = self._client.msearch(index=target, searches=searches)["responses"]
        if any("error" in found for found in answers):
            raise unavailable("it is overloaded")
        return [
            begins_with_a_typo(word)
            if len(word) >= SHORTEST_FORGIVEN and not found["hits"]["total"]["value"]
            else as_it_is
            for word, as_it_is, found in zip(wanted, as_they_are, answers, strict=True)
        ]

    def _ask(self, query: VehicleQuery, place: _Cursor, of_words: list[Query]) -> Any:
        asked = [*of_words, *filters(query, place.now_us)]
        body = {**request(query, asked, place.now_us, self._limit_us), **_of(place)}
        if place.after:
            body["search_after"] = place.after
        return self._client.search(index=None if place.snapshot else self._alias, **body)

    def _page(self, query: VehicleQuery, place: _Cursor, answer: Any) -> VehiclePage:
        hits, counts = answer["hits"]["hits"][: query.limit], answer["aggregations"]
        more = len(answer["hits"]["hits"]) > len(hits)
        buckets = counts["customers"]["by"]["buckets"]
        known = self._known(
            [UUID(hit["_id"]) for hit in hits], [UUID(one["key"]) for one in buckets]
        )
        # One model may be some events ahead of the other: a vehicle that PostgreSQL does not know
        # yet, or any more, can be neither shown nor counted.
        found = [known.vehicles.get(UUID(hit["_id"])) for hit in hits]
        items = [view for view in found if view is not None]
        customers = [
            CustomerCount(id_, known.customer_names.get(id_, ""), one["doc_count"])
            for one in buckets
            for id_ in (UUID(one["key"]),)
        ]
        snapshot = answer.get("pit_id")
        if snapshot and not more:
            self._forget(snapshot)
        last = _Cursor(query.sort, hits[-1]["sort"][:2], snapshot, place.now_us) if more else None
        return VehiclePage(
            items=items,
            total=answer["hits"]["total"]["value"] - (len(hits) - len(items)),
            statuses={
                name: counts["statuses"]["by"]["buckets"][name]["doc_count"] for name in STATUSES
            },
            customers=sorted(customers, key=lambda c: (folded(c.name), c.customer_id)),
            next_cursor=encode_cursor(*last) if last else None,
            position=min(known.position, int(counts["position"]["is"]["value"] or 0)),
        )

    def _forget(self, snapshot: str) -> None:
        try:
            self._client.close_point_in_time(id=snapshot)
        except (ApiError, TransportError):
            log.info("a snapshot was not closed; it ends by itself")


def _place(query: VehicleQuery) -> _Cursor:
    place: _Cursor = decode_cursor(query.cursor or "", _Cursor)
    if place.sort != query.sort or is_volatile(place.sort) != bool(place.snapshot):
        raise invalid_cursor()
    return place


def _of(place: _Cursor) -> dict[str, Any]:
    return {"pit": {"id": place.snapshot, "keep_alive": _KEEP_ALIVE}} if place.snapshot else {}


def _finds_something(answer: Any) -> bool:
    return any(answer["aggregations"][facet]["doc_count"] for facet in ("statuses", "customers"))


@contextmanager
def _told_to_clients(place: _Cursor | None = None) -> Iterator[None]:
    """Let a client hear what an error of Elasticsearch's means to it, also of its cursor."""
    with told_to_clients():
        try:
            yield
        except NotFoundError as error:
            if place is not None and place.snapshot:
                raise _expired() from error
            raise
        except BadRequestError as error:
            if place is not None:
                raise invalid_cursor() from error
            raise


def _expired() -> Invalid:
    expected = f"expected a cursor that was used within {KEPT_FOR.seconds} s"
    return Invalid(
        "invalid_cursor",
        "This list has been given up since; begin again without a cursor.",
        errors={"cursor": [expected]},
    )
