"""The event log on a real PostgreSQL: nothing skipped, nothing twice, everything readable."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError

from tests.following import heartbeat_row
from vehicle_tracker.domain import connection, heartbeat
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.history import Deadline, History, Place
from vehicle_tracker.logged_event import LoggedEvent
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from vehicle_tracker.settings import Settings

VIN = "YS2R4X20005399401"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
GOLDEN = Path(__file__).parent.parent / "data" / "golden_events.json"


def _row(at: datetime, vin: str = VIN) -> NewEvent:
    return heartbeat_row(vin, at, NOW)


def test_a_reader_skips_nothing_that_concurrent_writers_append(
    settings: Settings, event_log: EventLog
) -> None:
    """Eight writers in two pools append and a reader reads along: it sees every event, in order."""
    stop = Event()
    seen: list[LoggedEvent] = []

    def read_along() -> None:
        while True:
            ending = stop.is_set()
            page = event_log.read(seen[-1].position if seen else 0, 50)
            seen.extend(page)
            if ending and not page:
                return

    def write(writer: int, log: EventLog) -> None:
        for n in range(60):
            vin = f"YS2R4X2000{writer}{n:06d}"
            if writer % 2:
                log.save(Vehicle(vin, "ABC123", uuid4(), {}))
            else:
                with log.writing() as writing:
                    writing.insert([_row(NOW + timedelta(seconds=k), vin) for k in range(3)])

    with EventLog(settings.event_log_url) as other, ThreadPoolExecutor(9) as threads:
        reader = threads.submit(read_along)
        writers = [threads.submit(write, n, (event_log, other)[n // 4]) for n in range(8)]
        for writer in writers:
            writer.result(60)
        stop.set()
        reader.result(60)
    positions = [one.position for one in seen]
    assert positions == sorted(positions)
    assert len({(one.stream, one.version) for one in seen}) == len(seen) == 4 * 60 + 4 * 60 * 3
    assert seen == event_log.read(0, 10_000)


def test_what_is_there_already_is_left_out(event_log: EventLog) -> None:
    """An append tells new events from known ones, also within itself, and changes no stored row."""
    with event_log.writing() as writing:
        first = writing.insert([_row(NOW)])
    changed = _row(NOW)._replace(state=b"{}")
    later = _row(NOW + timedelta(microseconds=1))
    with event_log.writing() as writing:
        second = writing.insert([changed, later, later])
    assert first.new == {(_row(NOW).stream, _row(NOW).version)}
    assert second.new == {(later.stream, later.version)}
    assert [one.state for one in event_log.read(0, 10)] == [_row(NOW).state, later.state]
    with event_log.writing() as writing:
        assert writing.insert([changed]).position == second.position == event_log.head()
        assert writing.insert([]).new == set()


def test_an_append_that_fails_leaves_nothing(event_log: EventLog) -> None:
    """What goes wrong inside an append takes all of it back, and the next one is not disturbed."""

    def fail_half_way() -> None:
        with event_log.writing() as writing:
            writing.insert([_row(NOW)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert event_log.head() == 0
    with event_log.writing() as writing:
        writing.insert([_row(NOW)])
    assert len(event_log.read(0, 10)) == 1


def test_heartbeats_between_two_instants(event_log: EventLog) -> None:
    """A vehicle's heartbeats come by their own time, whatever order they arrived in."""
    minutes = [NOW + timedelta(minutes=n) for n in (3, 1, 5, 2, 4)]
    with event_log.writing() as writing:
        writing.insert([*map(_row, minutes), _row(NOW, "VLUR4X20009093588")])
    between = event_log.heartbeats(VIN, after=minutes[1], until=minutes[4])
    assert [one.recorded_at for one in between] == [minutes[3], minutes[0], minutes[4]]
    newest = event_log.heartbeats(VIN, newest_first=True, limit=1)
    assert [one.recorded_at for one in newest] == [minutes[2]]
    assert event_log.heartbeats("WVWZZZ1JZXW000001") == []


def test_a_place_is_found_in_either_encoding(event_log: EventLog) -> None:
    """Where a vehicle was is read in SQL out of what this release writes, and the first wrote."""
    named = b'{"received_at":"2026-01-31T12:00:00Z","heartbeat":{"vin":"%b"%b}}'
    vins = [f"YS2R4X2000539940{n}" for n in range(5)]
    placed = Heartbeat(vin=vins[0], recorded_at=NOW, latitude=59.19, longitude=-17.0)
    states = [
        heartbeat.encode(HeartbeatRecorded(NOW, placed)),
        named % (vins[1].encode(), b',"latitude":-0.5,"longitude":180.0'),
        heartbeat.encode(HeartbeatRecorded(NOW, Heartbeat(vin=vins[2], speed_kmh=5.0))),
        named % (vins[3].encode(), b',"speed_kmh":5.0'),
    ]
    rows = [
        _row(NOW, vin)._replace(state=state) for vin, state in zip(vins[:4], states, strict=True)
    ]
    with event_log.writing() as writing:
        position = writing.insert(rows).position
    places = History(event_log.rows).newest_places(vins, NOW, position, Deadline())
    assert places == {
        vins[0]: Place(NOW, 59.19, -17.0),
        vins[1]: Place(NOW, -0.5, 180.0),
        **dict.fromkeys(vins[2:], Place(None, None, None)),
    }


def test_a_follower_is_woken(event_log: EventLog) -> None:
    """Whoever listens hears of an append of any kind, and of none when there is none."""
    with event_log.listening() as wait:
        assert not wait(0.01)
        with event_log.writing() as writing:
            writing.insert([_row(NOW)])
        assert wait(10)
        event_log.save(Customer("Kalle", "Väg 1"))
        assert wait(10)
        with event_log.writing() as writing:
            later = _row(NOW + timedelta(seconds=1))
            writing.append(later.topic, [later.stream.bytes], [later.version], [later.state])
        assert wait(10)


def test_the_same_version_twice_is_a_conflict(event_log: EventLog) -> None:
    """Two that decide about one aggregate at once: the second is told."""
    event_log.save(Vehicle(VIN, "ABC123", uuid4(), {}))
    with pytest.raises(IntegrityError):
        event_log.save(Vehicle(VIN, "DEF456", uuid4(), {}))


def test_processes_that_start_together_create_the_log_once(database_url: str) -> None:
    """Many that open an empty database at once all get a log that works."""
    with ThreadPoolExecutor(6) as threads:
        logs = list(threads.map(EventLog, [database_url] * 6))
    for n, log in enumerate(logs):
        with log, log.writing() as writing:
            writing.insert([_row(NOW + timedelta(seconds=n))])
    with EventLog(database_url) as log:
        assert len(log.read(0, 10)) == 6


@pytest.mark.parametrize("golden", json.loads(GOLDEN.read_text()), ids=lambda row: row["topic"])
def test_a_golden_row_loads_for_ever(golden: dict[str, str], event_log: EventLog) -> None:
    """Events are never edited: a row as it was stored on the first day can be read today."""
    stream = UUID(golden["stream"])
    row = LoggedEvent(1, stream, golden["version"], golden["topic"], golden["state"].encode())
    event = event_log.event(row)
    seen = {name: getattr(event, name) for name in golden["expected"]}
    assert {name: str(value) for name, value in seen.items()} == golden["expected"]


def test_every_topic_has_a_golden_row() -> None:
    """No kind of event is without one."""
    topics = {row["topic"] for row in json.loads(GOLDEN.read_text())}
    events = {
        event.TOPIC
        for aggregate in EventLog.aggregate_classes
        for event in vars(aggregate).values()
        if isinstance(event, type) and hasattr(event, "TOPIC")
    }
    assert topics == events | {HeartbeatRecorded.TOPIC} | connection.decoders.keys()
