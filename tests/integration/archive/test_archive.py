"""A log whose old heartbeats are archived answers everything as before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from threading import Event
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from projections.catalog import CUSTOMER_VEHICLES
from projections.rebuild import Rebuild
from tests.following import (
    ALL,
    NOW,
    VINS,
    append,
    archive,
    catch_up,
    documents,
    heartbeat_row,
)
from tests.monitoring import VIN, judge_by, judge_of, run_until
from vehicle_tracker.domain.availability import Period
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, to_microseconds, utc_now
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.history import Deadline, History
from vehicle_tracker.logged_event import LEAST, MOST, LoggedEvent
from vehicle_tracker.schemas import rfc3339
from vehicle_tracker.writing import NewEvent
from write_service.app import create_app as create_write_service

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.settings import Settings

BROKEN, NEVER_HEARD = VINS[1], "WVWZZZ1JZXW000001"
_PERIODS = [
    (NOW + timedelta(minutes=begin), NOW + timedelta(minutes=end))
    for begin, end in ((-9_000, -200), (0, 10), (10, 50), (-9_000, 90), (45, 46))
]


def _heard(log: EventLog, minutes: range, dice: Random) -> None:
    """Each vehicle but one once a minute, out of order, some late by days, some without a place."""
    for minute in minutes:
        received = NOW + timedelta(minutes=minute)
        rows = []
        for vin in dice.sample(VINS[1:], len(VINS) - 1):
            late = timedelta(seconds=dice.choice([0, 0, 1, 90, 40_000, 400_000]))
            place = {"latitude": 55 + dice.random(), "longitude": 11.5} if minute % 3 else {}
            at = received - late + timedelta(microseconds=dice.randrange(999))
            rows.append(heartbeat_row(vin, at, received, odometer_km=float(minute), **place))
        with log.writing() as writing:
            writing.insert(rows)


@pytest.fixture
def lived(fleet: object, event_log: EventLog, database_url: str) -> datetime:
    """Vehicles, an hour of heartbeats and verdicts in the log; the instant in the middle."""
    dice = Random(5)  # noqa: S311
    _heard(event_log, range(3, 40), dice)
    judge_by(event_log, database_url, NOW + timedelta(minutes=40))
    append(event_log, NewEvent(heartbeat_stream(BROKEN), 7, HeartbeatRecorded.TOPIC, b"broken"))
    _heard(event_log, range(40, 60), dice)
    judge_by(event_log, database_url, NOW + timedelta(minutes=60))
    return NOW + timedelta(minutes=30)


def _pages(log: EventLog, page: int) -> list[LoggedEvent]:
    found: list[LoggedEvent] = []
    while some := log.read(found[-1].position if found else 0, page):
        assert len(some) == page or not log.read(some[-1].position, 1)
        found += some
    return found


def _asked_of_the_log(log: EventLog) -> dict[str, Any]:
    """What everything that reads the log asks of it, in all ways that may differ."""
    history, head, rows = History(log.rows), log.head(), log.rows
    vins = [*VINS, NEVER_HEARD]
    readable = [vin for vin in vins if vin != BROKEN]
    streams = [heartbeat_stream(vin) for vin in vins]
    instants = [NOW + timedelta(minutes=n, seconds=1) for n in (-2_000, -1, 20, 31, 90)]
    then = [(at, position) for at in instants for position in (0, 30, head // 2, head)]
    asked = [(a, b) for _, a, b in _spans(streams)]
    spans = [*_spans(streams), *((stream, LEAST, MOST) for stream in streams)]
    return {
        "pages": [_pages(log, page) for page in (1, 10, 1_000)],
        "from anywhere": [log.read(after, 64) for after in range(0, head + 1, 3)],
        "next": [log.next_besides([Vehicle.Created.TOPIC], after) for after in range(head + 1)],
        "next decision": [log.next_besides([HeartbeatRecorded.TOPIC], after) for after in (0, 99)],
        "spans": [
            rows.spans_as_of(p, spans, n) for p in (30, head // 2, head) for n in (1, 9, 999)
        ],
        "heartbeats": [
            log.heartbeats(VINS[2], after=a, until=b, newest_first=newest_first, limit=limit)
            for a, b in [*_PERIODS, (None, None)]
            for newest_first in (True, False)
            for limit in (1, 8, None)
        ],
        "heard": list(history.heard([Period(vin, a, b, 9) for vin in vins for a, b in asked])),
        "newest": [history.newest_heartbeats(readable, *when, Deadline()) for when in then],
        "times": [history.times_of_newest(vins, *when, Deadline()) for when in then],
        "places": [history.newest_places(readable, *when, Deadline()) for when in then],
        "connected": history.connected_since(dict.fromkeys(vins, instants[3]), Deadline()),
    }


def _spans(streams: list[UUID]) -> list[tuple[UUID, int, int]]:
    periods = [(to_microseconds(a), to_microseconds(b)) for a, b in _PERIODS]
    return [(stream, a, b) for stream in streams for a, b in periods]


def _asked_by_http(client: FlaskClient) -> list[Any]:
    day = "from=2026-01-25T00:00:00Z&to=2026-02-01T00:00:00Z"
    paths = [
        *(f"/api/v1/vehicles/{vin}/heartbeats?{day}&limit=500" for vin in VINS),
        *(f"/api/v1/vehicles/{vin}/availability?{day}" for vin in VINS),
        *(f"/api/v1/vehicles/{vin}/timeline?limit=500" for vin in VINS),
        *(f"/api/v1/fleet?at=2026-01-31T12:{minute}:00Z" for minute in ("01", "20", "45")),
        "/api/v1/fleet?at=2026-01-31T12:20:00Z&bbox=11,55.3,12,56",
        "/api/v1/changes?limit=500",
        "/api/v1/vehicles",
    ]
    answers = [client.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    volatile = {"answered_at", "as_of"}
    return [
        {key: value for key, value in answer.json.items() if key not in volatile}
        for answer in answers
    ]


def test_an_archived_log_answers_as_before(
    lived: datetime,
    event_log: EventLog,
    database_url: str,
    engine: Engine,
    read_client: FlaskClient,
) -> None:
    """Pages from anywhere, the past of each vehicle, answers by HTTP: all equal, part by part."""
    catch_up(event_log, engine)
    before, told = _asked_of_the_log(event_log), _asked_by_http(read_client)
    some = archive(event_log, database_url, lived)
    assert 100 < some.heartbeats < 170
    assert _asked_of_the_log(event_log) == before
    rest = archive(event_log, database_url, ALL)
    assert some.heartbeats + rest.heartbeats > 280
    assert _asked_of_the_log(event_log) == before
    assert _asked_by_http(read_client) == told
    assert archive(event_log, database_url, ALL).heartbeats == 0


def test_what_is_in_the_log_and_in_the_archive_is_there_once(
    lived: datetime, event_log: EventLog, database_url: str
) -> None:
    """While a writer may not know of the copy nothing is deleted, and no answer changes."""
    before = _asked_of_the_log(event_log)
    lock = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
    with psycopg.connect(database_url, autocommit=True) as writer:
        writer.execute(lock, [event_log.rows.lock_name])
        with pytest.raises(OperationalError):
            archive(event_log, database_url, lived)
    assert event_log.rows.fetch(event_log.rows.select_block, 0, within_s=1)
    assert _asked_of_the_log(event_log) == before
    archive(event_log, database_url, lived)
    assert _asked_of_the_log(event_log) == before


def test_a_heartbeat_that_is_archived_is_a_duplicate(
    write_client: FlaskClient,
    register: Callable[..., Any],
    database_url: str,
    event_log: EventLog,
    settings: Settings,
) -> None:
    """Sent again it is counted and changes nothing; one as old that is new is taken, and found.

    So it is by a write process that took it, by one that slept meanwhile, and by one that is new.
    """
    register()
    register("VLUR4X20009093588", "XYZ789")
    slept = create_write_service(settings).test_client()
    first = {"vin": VIN, "recorded_at": rfc3339(NOW - timedelta(minutes=1))}
    assert slept.post("/api/v1/heartbeats", json=first).json["accepted"] == 1
    times = [NOW + timedelta(minutes=n) for n in range(9)]
    known = [{"vin": VIN, "recorded_at": rfc3339(at), "speed_kmh": 5.0} for at in times]
    assert write_client.post("/api/v1/heartbeats", json=known).json["accepted"] == 9
    write_client.post("/api/v1/heartbeats", json={"vin": "VLUR4X20009093588"})
    assert archive(event_log, database_url, utc_now(), at_once=4).heartbeats == 10
    before = event_log.read(0, 99)
    other_words = [{**one, "ignition": True} for one in known]
    for client in (write_client, slept, create_write_service(settings).test_client()):
        again = client.post("/api/v1/heartbeats", json=other_words)
        assert (again.json["accepted"], again.json["duplicates"]) == (0, 9)
    assert event_log.read(0, 99) == before
    late = {"vin": VIN, "recorded_at": rfc3339(times[3] + timedelta(seconds=1))}
    mixed = write_client.post("/api/v1/heartbeats", json=[known[0], late, known[8], late])
    assert (mixed.json["accepted"], mixed.json["duplicates"]) == (1, 3)
    found = [one.recorded_at for one in event_log.heartbeats(VIN, until=times[8])]
    assert found == sorted([NOW - timedelta(minutes=1), *times, times[3] + timedelta(seconds=1)])
    write_client.post("/api/v1/heartbeats", json={"vin": VIN})
    assert archive(event_log, database_url, utc_now()).heartbeats == 2
    assert [one.recorded_at for one in event_log.heartbeats(VIN, until=times[8])] == found


def test_nothing_is_lost_or_doubled_while_it_is_archived(
    event_log: EventLog, database_url: str, tmp_path: Path
) -> None:
    """Whoever sends again is told of duplicates only, whoever reads sees each event once."""
    rows = [heartbeat_row(VINS[n % 6], NOW + timedelta(seconds=n), NOW) for n in range(4_000)]
    with event_log.writing() as writing:
        writing.insert(rows)
    append(event_log, heartbeat_row(VINS[0], NOW - timedelta(days=1), ALL))
    before = event_log.read(0, 9_999)
    with EventLog(database_url, archive=str(tmp_path)) as other, ThreadPoolExecutor(1) as thread:
        archiving = thread.submit(archive, other, database_url, ALL, 300)
        rounds = 0
        while rounds < 2 or not archiving.done():
            with event_log.writing() as writing:
                assert writing.insert(rows).new == set()
            assert _pages(event_log, 700) == before
            assert len(event_log.heartbeats(VINS[0])) == 668
            rounds += 1
        assert archiving.result().heartbeats == 4_000


def test_a_rebuild_and_a_monitor_from_nothing_read_what_is_archived(
    lived: datetime, event_log: EventLog, database_url: str, engine: Engine, settings: Settings
) -> None:
    """Folded from the first position the read model is as before, and no verdict is new."""
    catch_up(event_log, engine)
    before, head = documents(engine), event_log.head()
    archive(event_log, database_url, ALL)
    beside = CUSTOMER_VEHICLES.beside(CUSTOMER_VEHICLES.name, engine, settings)
    assert Rebuild(CUSTOMER_VEHICLES, beside, event_log, engine, 50).run(lambda *_: None, Event())
    assert documents(engine) == before
    run_until(judge_of(event_log), NOW + timedelta(minutes=60))
    assert event_log.head() == head
