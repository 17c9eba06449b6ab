"""The log itself: read whole, taken apart, and folded into documents without any follower."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from projections.catalog import VEHICLE_SEARCH
from projections.elasticsearch_index import POSITION_ID
from projections.vehicle_search.changes import documents
from projections.vehicle_search.document import source
from tests.chaos.ledger import Said
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.catalog import Projection
    from tests.chaos.ledger import Ledger
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.logged_event import LoggedEvent

PAGE = 10_000


class Told(NamedTuple):
    """An event of the log, as it is kept and decoded."""

    logged: LoggedEvent
    event: Any


def read_whole(log: EventLog) -> list[Told]:
    """Every event, in commit order."""
    told: list[Told] = []
    while page := log.read(told[-1].logged.position if told else 0, PAGE):
        told += [Told(logged, log.event(logged)) for logged in page]
    return told


def fold(projection: Projection, told: Sequence[Told]) -> dict[Any, Any]:
    """What the documents of a projection must be, by key."""
    documents: dict[Any, Any] = {}
    for logged, event in told:
        if logged.topic in projection.topics:
            key = projection.key_of(event)
            documents[key] = projection.evolve(documents.get(key), event)
    return documents


def check_searched(client: Elasticsearch, engine: Engine, position: int) -> None:
    """What Elasticsearch keeps is what the tables say; nothing more but the position."""
    with engine.connect() as connection:
        rows = connection.execute(documents()).all()
    expected = {str(row.vehicle_id): msgspec.json.decode(source(row)) for row in rows}
    client.indices.refresh(index=VEHICLE_SEARCH)
    hits = client.search(index=VEHICLE_SEARCH, size=10_000)["hits"]["hits"]
    kept = {hit["_id"]: hit["_source"] for hit in hits}
    assert kept.pop(POSITION_ID)["position"] == position
    assert kept == expected


def check_log(told: Sequence[Told], ledger: Ledger) -> None:
    """What was answered is in the log once, word for word; what was never sent is not in it."""
    assert not ledger.surprises, "\n".join(ledger.surprises)
    heartbeats = [event for _, event in told if isinstance(event, HeartbeatRecorded)]
    times = Counter(Said.of(event.heartbeat) for event in heartbeats)
    assert not ledger.answered - times.keys(), "answered 202 and not in the log"
    assert not times.keys() - ledger.sent, "in the log and never sent"
    assert max(times.values(), default=1) == 1, "in the log more than once"
    for event in heartbeats:
        assert event.heartbeat == Said.of(event.heartbeat).heartbeat()
    _check_decisions(told, ledger)
    _check_use(told, ledger)


def _check_decisions(told: Sequence[Told], ledger: Ledger) -> None:
    """What a dispatcher was told is decided is in the log, at the latest where the answer said.

    Each label is given once: if it is there twice, a decision was taken twice.
    """
    first: dict[tuple[UUID, str], int] = {}
    for logged, _ in told:
        first.setdefault((logged.stream, logged.topic), logged.position)
    for position, (vin, topic) in ledger.decided.items():
        assert first[vehicle_stream(vin), topic] <= position, f"{vin} {topic} at {position}"
    given = [event.labels["by"] for _, event in told if isinstance(event, Vehicle.LabelsChanged)]
    assert len(given) == len(set(given))


def _check_use(told: Sequence[Told], ledger: Ledger) -> None:
    """No heartbeat of a vehicle that is out of use; none refused of one that never was."""
    in_use, once_out = set(), set()
    for logged, event in told:
        if logged.topic in (Vehicle.Created.TOPIC, Vehicle.Recommissioned.TOPIC):
            in_use.add(logged.stream)
        elif logged.topic == Vehicle.Decommissioned.TOPIC:
            in_use.discard(logged.stream)
            once_out.add(logged.stream)
        elif isinstance(event, HeartbeatRecorded):
            assert logged.stream == heartbeat_stream(event.vin)
            assert vehicle_stream(event.vin) in in_use, f"{event.vin} is out of use"
    assert {vehicle_stream(vin) for vin, _ in ledger.refused} <= once_out
