"""The Elasticsearch of the read models: how it is reached, and what its errors mean."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from elastic_transport import JsonSerializer, NdjsonSerializer, TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError
from prometheus_client import Summary

from projections.store import StoreAwayError
from vehicle_tracker.errors import search_unavailable
from vehicle_tracker.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOT_FOUND, MANY_REQUESTS, SERVER_ERROR = 404, 429, 500
_NOT_NOW = frozenset({401, 403, NOT_FOUND, 408, MANY_REQUESTS})
"""Refused for now: rights that are missing, an index that is gone and will be made again, too many
requests, a disk that is full."""

TOOK = Summary("elasticsearch_took_seconds", "What Elasticsearch says that searches took it")
_MILLISECONDS = 1_000

_PARTS = ("error", "status", "aggregations", "hits.total.value", "hits.hits.sort")
_READ = ["took", *(f"responses.{part}" for part in _PARTS)]
"""What is read of answers. Of a hit all else is longer than what it is sorted by."""


class FastSerializer(JsonSerializer):
    """JSON by msgspec: a page of a thousand documents in a tenth of the time."""

    mimetype = "application/vnd.elasticsearch+json"

    def dumps(self, data: Any) -> bytes:
        """The body of a request; one that is bytes already stays as it is."""
        return data if isinstance(data, bytes) else msgspec.json.encode(data)

    def loads(self, data: bytes) -> Any:
        """The body of an answer."""
        return msgspec.json.decode(data)


class FastNdjsonSerializer(NdjsonSerializer):
    """Lines that are bytes already, and JSON by msgspec."""

    mimetype = "application/vnd.elasticsearch+x-ndjson"

    def dumps(self, data: Any) -> bytes:
        """The body of a bulk request."""
        return b"".join(
            (line if isinstance(line, bytes) else msgspec.json.encode(line)) + b"\n"
            for line in data
        )


def connect(url: str, timeout_s: float) -> Elasticsearch:
    """A client of the server at `url`; nothing is sent yet.

    It tries nothing twice: who asks knows better how long to wait.
    """
    # It would tell of every request at the level at which we tell of what matters.
    logging.getLogger("elastic_transport").setLevel(logging.WARNING)
    serializers = {one.mimetype: one() for one in (FastSerializer, FastNdjsonSerializer)}
    return Elasticsearch(url, request_timeout=timeout_s, max_retries=0, serializers=serializers)


def is_away(error: Exception) -> bool:
    """True if the server cannot be reached, is overloaded or full: the same may work later."""
    return isinstance(error, TransportError) or (
        isinstance(error, ApiError) and may_pass(error.meta.status)
    )


def may_pass(status: int) -> bool:
    """True of a status with which the server says: not now."""
    return status in _NOT_NOW or status >= SERVER_ERROR


@contextmanager
def told_as_away() -> Iterator[None]:
    """Let a follower hear that its store is away, whatever the client calls it."""
    try:
        yield
    except (TransportError, ApiError) as error:
        if is_away(error):
            raise StoreAwayError(" ".join(str(error).split())[:500]) from error
        raise


@contextmanager
def told_to_clients() -> Iterator[None]:
    """Let a client hear what an error of Elasticsearch's means to it."""
    try:
        yield
    except NotFoundError as error:
        raise search_unavailable("it is being filled") from error
    except (ApiError, TransportError) as error:
        if not is_away(error):
            raise
        log.error("search unavailable", error=str(error))
        raise search_unavailable("it cannot be reached") from error


def answers(client: Elasticsearch, index: str, searches: Sequence[Any]) -> list[Any]:
    """What an index answers to several searches, one after the other, in one round trip.

    Errors: `Unavailable`, and the client's for what can never be answered.
    """
    parts: list[Any] = []
    for search in searches:
        parts += {}, search
    answer = client.msearch(
        index=index, searches=parts, max_concurrent_searches=1, filter_path=_READ
    )
    TOOK.observe(answer["took"] / _MILLISECONDS)
    found: list[Any] = answer["responses"]
    for one in found:
        if "error" in one:
            log.error("search unavailable", error=str(one["error"]))
            if one["status"] == NOT_FOUND:
                raise search_unavailable("it is being filled")
            if may_pass(one["status"]):
                raise search_unavailable("it is overloaded")
            raise ApiError(str(one["error"]), answer.meta, one)
    return found
