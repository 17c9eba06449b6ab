"""The fold of a vehicle's connections: any order, any repetition, and never a wrong beginning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.customer_vehicles import connections
from projections.customer_vehicles.connections import MOST, ConnectionsDocument
from projections.customer_vehicles.fold import Key, evolve, key_of, with_said
from projections.customer_vehicles.model import (
    VehicleDocument,
    VehicleView,
    status_of,
    status_since,
)
from vehicle_tracker.domain.connection import (
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
    intervals,
    stretches,
)
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import to_microseconds, vehicle_stream
from write_service.connection_rule import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable

VIN = "YS2R4X20005399401"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMIT_S = 30


def _at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def _folded(events: Iterable[Any], document: Any = None) -> Any:
    for event in events:
        document = evolve(document, event)
    return document


connected = st.builds(lambda s: VehicleConnected(VIN, _at(s), LIMIT_S), st.integers(0, 500))
disconnected = st.builds(
    lambda s, limit: VehicleDisconnected(VIN, _at(s), limit),
    st.integers(0, 500),
    st.integers(1, 60),
)
mended = st.builds(
    lambda s, length, limit: ConnectionMended(VIN, _at(s), limit, _at(s - length), _at(s)),
    st.integers(0, 500),
    st.integers(0, 60),
    st.integers(1, 60),
)


def _histories(most: int) -> st.SearchStrategy[list[Any]]:
    """Events of which no two have the same version, as the log has them; else any at all."""
    return st.lists(
        connected | disconnected | mended, min_size=1, max_size=most, unique_by=lambda e: e.version
    )


@given(events=_histories(MOST), data=st.data())
def test_the_fold_is_the_union_of_the_events(events: list[Any], data: st.DataObject) -> None:
    """In any order, with any repetition, all stretches are those of the events themselves."""
    again = data.draw(st.lists(st.sampled_from(events)))
    document = _folded(data.draw(st.permutations(events + again)))
    expected = intervals(events)
    assert stretches(document.judged, document.mended) == expected
    newest = (document.connected_since, document.connected_until)
    assert newest == (expected[-1].start, expected[-1].end)
    assert document == _folded(events)
    assert _folded(events, document) is document


@given(events=_histories(40), most=st.integers(2, 3), data=st.data())
def test_what_is_forgotten_is_never_made_up(
    events: list[Any], most: int, data: st.DataObject
) -> None:
    """Of more than is kept, the newest beginning is right or not known, however it all comes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "MOST", most)
        document = _folded(events)
        newest = intervals(events)[-1]
        assert document.connected_since in (newest.start, None)
        assert document.connected_until == newest.end
        assert len(document.judged) <= 2 * most
        assert len(document.mended) <= most
        start = data.draw(st.integers(0, len(events)))
        again = _folded(events[start:], document)
        assert again.connected_since in (newest.start, None)


@given(
    heard=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 300)), min_size=1, max_size=40),
    most=st.integers(2, MOST),
)
def test_since_is_when_the_heartbeats_began(heard: list[tuple[int, int]], most: int) -> None:
    """What the monitor says of late and of repeated heartbeats leads to their first without a gap.

    The obvious way to it is a walk back from the newest one. Of all that is more than is kept, it
    may not be known; nothing is ever folded twice into something else.
    """
    watch, document, now = Watch(VIN, LIMIT_S), None, 1_000
    said: dict[int, datetime] = {}
    newest: Any = None
    events: list[Any] = []
    for wait, age in heard:
        now += wait
        said[now - age] = at = _at(now - age)
        received = to_microseconds(_at(now))
        events += watch.heard(to_microseconds(at), received)
        newest = evolve(newest, HeartbeatRecorded(_at(now), Heartbeat(vin=VIN, recorded_at=at)))
    events += watch.passed(to_microseconds(_at(now + 6)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "MOST", most)
        document = _folded(events)
        assert _folded(events, document) is document
    times = sorted(said, reverse=True)
    first = times[0]
    for time in times[1:]:
        if first - time > LIMIT_S:
            break
        first = time
    vehicle = with_said(VehicleDocument(vehicle_id=vehicle_stream(VIN), vin=VIN), newest)
    view = VehicleView(vehicle, "", "", LIMIT_S, document.connected_since, document.connected_until)
    since = status_since(view, status_of(view, _at(times[0]), 120), 120)
    assert since == _at(first) or (since is None and most < len(said))


@given(events=_histories(60))
def test_a_document_survives_being_kept(events: list[Any]) -> None:
    """It is the same after a round trip as JSON."""
    document = _folded(events)
    kept = msgspec.json.encode(document)
    assert msgspec.json.decode(kept, type=ConnectionsDocument) == document


def test_connections_are_a_document_of_their_own() -> None:
    """It is found by the vehicle's id; the vehicle's own is not touched."""
    event = VehicleConnected(VIN, NOW, LIMIT_S)
    assert key_of(event) == Key(ConnectionsDocument, str(vehicle_stream(VIN)))
    assert _folded([event]).vehicle_id == vehicle_stream(VIN)
