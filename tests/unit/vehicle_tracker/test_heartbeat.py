"""How heartbeats are kept in the log: short, exact, and readable for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import from_microseconds, to_microseconds
from write_service.heartbeat_message import HeartbeatMessage

VIN = "YS2R4X20005399401"
NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)

offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.tuples(st.integers(2 - 719_162, 2_932_894), st.integers(0, 86_399_999_999)).map(
    lambda at: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=at[0], microseconds=at[1])
)
elsewhere = st.tuples(instants, offsets).map(lambda both: both[0].astimezone(both[1]))
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
values = st.text() | st.integers(-(2**53), 2**53) | numbers.filter(lambda n: n is not None)
heartbeats = st.builds(
    Heartbeat,
    vin=st.just(VIN),
    recorded_at=st.none() | instants | elsewhere,
    latitude=numbers,
    longitude=numbers,
    speed_kmh=numbers,
    heading_deg=numbers,
    odometer_km=numbers,
    fuel_level=numbers,
    ignition=st.none() | st.booleans(),
    altitude_m=numbers,
    accuracy_m=numbers,
    battery_level=numbers,
    attributes=st.none() | st.dictionaries(st.text(), values | st.booleans()),
)
ids = st.none() | st.text()


@given(st.builds(HeartbeatRecorded, received_at=instants, heartbeat=heartbeats, request_id=ids))
def test_nothing_of_a_heartbeat_is_lost(event: HeartbeatRecorded) -> None:
    """What was said is read again: the last digit, the type of an attribute, the offset."""
    again = heartbeat.decode(heartbeat.encode(event))
    assert again == event
    assert repr(again.heartbeat.attributes) == repr(event.heartbeat.attributes)
    for one, other in (
        (again.received_at, event.received_at),
        (again.heartbeat.recorded_at, event.heartbeat.recorded_at),
    ):
        assert one == other
        assert one is other is None or (one and other and one.utcoffset() == other.utcoffset())


@given(st.integers(-86_400_000_000, 4_102_531_200_000_000).map(from_microseconds))
def test_an_instant_is_exact(instant: datetime) -> None:
    """No microsecond is lost where an instant is a number, nor where it is none any more."""
    event = HeartbeatRecorded(instant, Heartbeat(vin=VIN))
    assert heartbeat.decode(heartbeat.encode(event)) == event


@given(st.builds(HeartbeatRecorded, received_at=instants, heartbeat=heartbeats, request_id=ids))
def test_who_was_heard_and_when(event: HeartbeatRecorded) -> None:
    """It is told without reading what was said, to the microsecond, of every encoding there was."""
    said = {"vin": VIN, "attributes": {"vin": "no"}}
    with_names = msgspec.json.encode({"received_at": event.received_at, "heartbeat": said})
    for state in (heartbeat.encode(event), with_names):
        assert heartbeat.heard(state) == (VIN, to_microseconds(event.received_at))


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, b'[1769860800.123456,["YS2R4X20005399401"]]'),
        (
            {"recorded_at": NOW - timedelta(microseconds=1), "latitude": 59.19, "longitude": 17.0},
            b'[1769860800.123456,["YS2R4X20005399401",1769860800.123455,59.19,17.0]]',
        ),
        (
            {"ignition": False},
            b'[1769860800.123456,["YS2R4X20005399401",null,null,null,null,null,null,null,false]]',
        ),
    ],
    ids=["nothing", "a place", "ignition"],
)
def test_what_was_not_said_takes_no_room(said: dict[str, Any], state: bytes) -> None:
    """A state has no names and ends with what was said last; a message is kept alike."""
    for kind in (Heartbeat, HeartbeatMessage):
        event = HeartbeatRecorded(NOW, kind(vin=VIN, **said))
        assert heartbeat.encode(event) == state


def test_what_earlier_releases_wrote_is_the_same_event() -> None:
    """A state with names, as the first releases wrote it, is read as what it always was."""
    named = (
        b'{"received_at":"2026-01-31T12:00:00.123456Z","heartbeat":{"vin":"YS2R4X20005399401",'
        b'"recorded_at":"2026-01-31T12:59:59+01:00","latitude":59.19,"longitude":17.62,'
        b'"attributes":{"door":"open","load_kg":1200}},"request_id":"r"}'
    )
    event = heartbeat.decode(named)
    assert type(event.heartbeat) is Heartbeat
    assert event.received_at == NOW
    assert heartbeat.decode(heartbeat.encode(event)) == event


@pytest.mark.parametrize("state", [b"", b"?", b"[]", b'["x"]', b"{}", b'[1.0,["V",null,"59"]'])
def test_what_is_none_is_refused(state: bytes) -> None:
    """A broken state raises the one error that readers expect."""
    with pytest.raises(msgspec.MsgspecError):
        heartbeat.decode(state)
