"""The connection monitor on a real PostgreSQL: it tells the truth, whenever and however it ran."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.running import wait_for
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    ConnectionMended,
    ListeningResumed,
    VehicleConnected,
    VehicleDisconnected,
    decoders,
    intervals,
)
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, utc_now
from vehicle_tracker.recorder import NewEvent
from write_service import connection_monitor
from write_service.application import VehicleTracker
from write_service.connection_judge import ConnectionJudge
from write_service.monitor_checkpoint import Checkpoints, Watching
from write_service.watched_fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

ROOT = Path(__file__).parents[2]
VIN = "YS2R4X20005399401"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LIMIT_S = 120
GOING_ON = Event()


def _vin(number: int) -> str:
    return f"YS2R4X2000{number:07d}"


def _record(log: EventLog, *heard: tuple[str, datetime, datetime]) -> None:
    """Append heartbeats: of whom, when recorded, when received."""
    rows = []
    for vin, recorded, received in heard:
        event = HeartbeatRecorded(received, Heartbeat(vin=vin, recorded_at=recorded))
        state = heartbeat.encode(event)
        rows.append(NewEvent(heartbeat_stream(vin), event.version, event.TOPIC, state))
    with log.writing() as writing:
        writing.insert(rows)


def _judge(log: EventLog, watching: Watching | None = None) -> ConnectionJudge:
    return ConnectionJudge(log, watching or Watching(Fleet(LIMIT_S)))


def _run(judge: ConnectionJudge, until: datetime) -> None:
    assert judge.catch_up(GOING_ON)
    while judge.judge(until):
        assert judge.catch_up(GOING_ON)


def _appended(log: EventLog, vin: str | None = None) -> list[ConnectionEvent]:
    """All connection events of the log, by its order."""
    rows = [row for row in log.read(0, 1_000_000) if row.topic in decoders]
    events = [decoders[row.topic](row.state) for row in rows]
    return [
        one for one in events if not isinstance(one, ListeningResumed) and vin in (None, one.vin)
    ]


def _replayed(log: EventLog, default_limit_s: int = LIMIT_S) -> list[ConnectionEvent]:
    """What the pure rule makes of the log."""
    fleet = Fleet(default_limit_s)
    _judge(log, Watching(fleet)).fold(log.read(0, 1_000_000))
    return fleet.told


def _by_version(events: list[ConnectionEvent]) -> list[ConnectionEvent]:
    return sorted(events, key=lambda one: (one.vin, one.version))


def test_silence_is_declared_once_and_a_heartbeat_ends_it(event_log: EventLog) -> None:
    """A vehicle connects, is silent for longer than the limit, and connects again."""
    judge = _judge(event_log)
    _record(event_log, (VIN, NOW, NOW))
    _run(judge, NOW + 2 * MINUTE)
    assert _appended(event_log) == [VehicleConnected(VIN, NOW, LIMIT_S)]
    _run(judge, NOW + 2 * MINUTE + SECOND)
    _run(judge, NOW + 9 * MINUTE)
    _record(event_log, (VIN, NOW + 10 * MINUTE, NOW + 10 * MINUTE))
    _run(judge, NOW + 10 * MINUTE)
    assert _appended(event_log)[1:] == [
        VehicleDisconnected(VIN, NOW, LIMIT_S),
        VehicleConnected(VIN, NOW + 10 * MINUTE, LIMIT_S),
    ]
    assert _replayed(event_log) == _appended(event_log)


def test_late_heartbeats_mend_what_follows(event_log: EventLog) -> None:
    """A declared silence that later turns out not to have been one is gone from the intervals."""
    judge = _judge(event_log)
    _record(event_log, (VIN, NOW, NOW))
    _run(judge, NOW + 5 * MINUTE)
    back = NOW + 10 * MINUTE
    _record(event_log, (VIN, back, back))
    _record(event_log, *[(VIN, NOW + n * MINUTE, back + SECOND) for n in range(1, 10)])
    _run(judge, back + 10 * SECOND)
    kinds = [type(one) for one in _appended(event_log)]
    assert kinds == [VehicleConnected, VehicleDisconnected, VehicleConnected, ConnectionMended]
    assert intervals(_appended(event_log)) == [(NOW, None)]
    assert _by_version(_replayed(event_log)) == _by_version(_appended(event_log))


def test_a_monitor_that_was_away_declares_nobody_dead(event_log: EventLog) -> None:
    """After an hour's stop it reads the hour's heartbeats first: only the silent one is silent."""
    fleet = [_vin(number) for number in range(50)]
    judge = _judge(event_log)
    _record(event_log, *[(vin, NOW, NOW) for vin in fleet])
    _run(judge, NOW + SECOND)
    for minute in range(1, 61):
        at = NOW + minute * MINUTE
        heard = fleet if minute <= 30 else fleet[1:]
        _record(event_log, *[(vin, at, at) for vin in heard])
    _run(_judge(event_log, judge.watching), NOW + 60 * MINUTE + SECOND)
    silent = [one for one in _appended(event_log) if isinstance(one, VehicleDisconnected)]
    assert silent == [VehicleDisconnected(fleet[0], NOW + 30 * MINUTE, LIMIT_S)]


def test_a_tracker_that_was_away_waits_for_what_vehicles_kept(event_log: EventLog) -> None:
    """After a night's outage silence counts anew: who sends what it kept was never gone."""
    keeper, silent = _vin(0), _vin(1)
    judge = _judge(event_log)
    _record(event_log, (keeper, NOW, NOW), (silent, NOW, NOW))
    _run(judge, NOW + SECOND)
    morning = NOW + timedelta(hours=8)
    judge = _judge(event_log, judge.watching)
    assert judge.catch_up(GOING_ON)
    judge.resume(morning)
    _run(judge, morning + MINUTE)
    kept = [(keeper, NOW + n * MINUTE, morning + MINUTE) for n in range(1, 482)]
    _record(event_log, *kept)
    _run(judge, morning + MINUTE)
    connected = [VehicleConnected(vin, NOW, LIMIT_S) for vin in (keeper, silent)]
    assert _appended(event_log) == connected
    _run(judge, morning + 2 * MINUTE + SECOND)
    assert _appended(event_log)[2:] == [VehicleDisconnected(silent, NOW, LIMIT_S)]
    assert _by_version(_replayed(event_log)) == _by_version(_appended(event_log))


def test_a_monitor_that_restarts_while_vehicles_send_resumes_nothing(event_log: EventLog) -> None:
    """Who heard them lately knows who is silent: nothing counts anew."""
    judge = _judge(event_log)
    _record(event_log, (VIN, NOW, NOW), (_vin(1), NOW + 2 * MINUTE, NOW + 2 * MINUTE))
    assert judge.catch_up(GOING_ON)
    judge.resume(NOW + 2 * MINUTE + SECOND)
    _run(judge, NOW + 2 * MINUTE + SECOND)
    assert VehicleDisconnected(VIN, NOW, LIMIT_S) in _appended(event_log)


def test_what_is_in_the_log_is_read_before_anything_is_judged(event_log: EventLog) -> None:
    """A heartbeat that came after the last look, and before the verdict, prevents it."""
    judge = _judge(event_log)
    _record(event_log, (VIN, NOW, NOW))
    assert judge.catch_up(GOING_ON)
    _record(event_log, (VIN, NOW + MINUTE, NOW + MINUTE))
    judge.judge(NOW + 2 * MINUTE + SECOND)
    assert _appended(event_log) == [VehicleConnected(VIN, NOW, LIMIT_S)]


def test_two_monitors_at_once_are_harmless(event_log: EventLog) -> None:
    """Two that judge the same log in turns, one always behind, append what one alone would."""
    judges = [_judge(event_log), _judge(event_log)]
    for minute in range(0, 40, 2):
        at = NOW + minute * MINUTE
        heard = [_vin(number) for number in range(8) if (minute // 2) % (number + 1) == 0]
        _record(event_log, *[(vin, at, at) for vin in heard])
        _record(event_log, *[(vin, at - 7 * MINUTE, at) for vin in heard if minute % 3 == 0])
        _run(judges[minute // 2 % 3 // 2], at + SECOND)
    for judge in judges:
        _run(judge, NOW + 60 * MINUTE)
    events = _by_version(_appended(event_log))
    assert events == _by_version(_replayed(event_log))
    kinds = Counter(type(one) for one in events)
    assert kinds.keys() == {VehicleConnected, VehicleDisconnected, ConnectionMended}
    assert kinds[VehicleConnected] == kinds[VehicleDisconnected]


def test_limits_of_vehicles_and_customers_are_followed(event_log: EventLog) -> None:
    """A vehicle's own limit goes before its customer's, that before the default; null resets."""
    tracker = VehicleTracker(event_log)
    patient = tracker.register_customer("Patient", "Väg 1", 600).customer_id
    other = tracker.register_customer("Other", "Väg 2").customer_id
    own, of_customer, default, moved = (_vin(number) for number in range(4))
    tracker.register_vehicle(own, "A1", patient, {}, disconnect_after_s=30)
    tracker.register_vehicle(of_customer, "A2", patient, {})
    tracker.register_vehicle(default, "A3", other, {})
    tracker.register_vehicle(moved, "A4", other, {})
    tracker.change_vehicle(moved, {"customer_id": patient})
    now = utc_now()
    _record(event_log, *[(_vin(number), now, now) for number in range(4)])
    judge = _judge(event_log)
    _run(judge, now + SECOND)
    limits = {one.vin: one.disconnect_after_s for one in _appended(event_log)}
    assert limits == {own: 30, of_customer: 600, default: LIMIT_S, moved: 600}
    tracker.change_vehicle(own, {"disconnect_after_s": None})
    tracker.change_customer(patient, {"disconnect_after_s": 60})
    _run(judge, now + 61 * SECOND)
    silent = [one for one in _appended(event_log) if isinstance(one, VehicleDisconnected)]
    assert {one.vin: one.disconnect_after_s for one in silent} == dict.fromkeys(
        (own, of_customer, moved), 60
    )
    assert _by_version(_replayed(event_log)) == _by_version(_appended(event_log))


def test_a_checkpoint_is_as_good_as_the_whole_log(event_log: EventLog, database_url: str) -> None:
    """A fleet that was kept goes on as the one it was; another log's, or none, is not taken."""
    tracker = VehicleTracker(event_log)
    customer_id = tracker.register_customer("Kalle", "Väg 1", 45).customer_id
    tracker.register_vehicle(VIN, "ABC123", customer_id, {})
    now = utc_now()
    _record(event_log, (VIN, now, now), (VIN, now - 5 * MINUTE, now), (_vin(1), now, now))
    judge = _judge(event_log)
    _run(judge, now + SECOND)
    with psycopg.connect(database_url, autocommit=True) as connection:
        checkpoints = Checkpoints(connection)
        assert checkpoints.load(LIMIT_S, event_log.head()).position == 0
        checkpoints.save(judge.watching)
        kept = checkpoints.load(LIMIT_S, event_log.head())
        assert kept.position == judge.watching.position > 0
        assert checkpoints.load(LIMIT_S, kept.position - 1).position == 0
    _run(_judge(event_log, kept), now + 5 * MINUTE)
    limits = {
        one.vin: one.disconnect_after_s
        for one in _appended(event_log)
        if isinstance(one, VehicleDisconnected)
    }
    assert limits == {VIN: 45, _vin(1): LIMIT_S}
    assert sum(isinstance(one, ConnectionMended) for one in _appended(event_log)) == 1
    assert _by_version(_replayed(event_log)) == _by_version(_appended(event_log))


def test_a_row_that_makes_no_sense_leaves_nobody_unwatched(event_log: EventLog) -> None:
    """What cannot be decoded is skipped and said; the vehicles after it are judged."""
    with event_log.writing() as writing:
        writing.insert([NewEvent(heartbeat_stream(VIN), 1, HeartbeatRecorded.TOPIC, b"?")])
    _record(event_log, (VIN, NOW, NOW))
    _run(_judge(event_log), NOW)
    assert _appended(event_log) == [VehicleConnected(VIN, NOW, LIMIT_S)]


@pytest.fixture
def start_monitor(database_url: str) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts monitors as processes, with a limit of one second."""
    environment = {
        **os.environ,
        "EVENT_LOG_URL": database_url,
        "DATABASE_URL": database_url,
        "DISCONNECT_AFTER_S": "1",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "write_service.connection_monitor"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def _says(log: EventLog, vin: str, kind: type[ConnectionEvent]) -> Callable[[], bool]:
    return lambda: any(isinstance(one, kind) for one in _appended(log, vin))


def _say(log: EventLog, vin: str) -> datetime:
    now = utc_now()
    _record(log, (vin, now, now))
    return now


def test_a_killed_monitor_is_replaced_within_five_seconds(
    event_log: EventLog, start_monitor: Callable[[], subprocess.Popen[bytes]]
) -> None:
    """`kill -9`: the one that stands by takes over and overlooks nothing that happened between."""
    active = start_monitor()
    first = _say(event_log, VIN)
    wait_for(_says(event_log, VIN, VehicleConnected), 20)
    wait_for(_says(event_log, VIN, VehicleDisconnected), 20)
    delay = utc_now() - first - SECOND
    assert delay < 2 * SECOND, delay
    standing_by = start_monitor()
    _say(event_log, _vin(1))
    wait_for(_says(event_log, _vin(1), VehicleDisconnected), 20)
    assert standing_by.poll() is None
    active.kill()
    killed = time.monotonic()
    _say(event_log, _vin(2))
    wait_for(_says(event_log, _vin(2), VehicleConnected), 20)
    took = time.monotonic() - killed
    assert took < 5, took
    wait_for(_says(event_log, _vin(2), VehicleDisconnected), 20)
    standing_by.send_signal(signal.SIGTERM)
    assert standing_by.wait(10) == 0
    assert _by_version(_replayed(event_log, 1)) == _by_version(_appended(event_log))


def test_a_monitor_survives_its_database(
    event_log: EventLog,
    database_url: str,
    start_monitor: Callable[[], subprocess.Popen[bytes]],
) -> None:
    """All its connections are cut: it comes back by itself and judges what it missed."""
    process = start_monitor()
    _say(event_log, VIN)
    wait_for(_says(event_log, VIN, VehicleDisconnected), 20)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    event_log.rows.datastore.pool.check()
    _say(event_log, _vin(1))
    wait_for(_says(event_log, _vin(1), VehicleDisconnected), 20)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert _by_version(_replayed(event_log, 1)) == _by_version(_appended(event_log))


def test_checkpoints_are_kept_while_it_runs(
    event_log: EventLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps what it knows now and then; one that never was active keeps nothing."""
    monkeypatch.setattr(connection_monitor, "KEEPS_EVERY_S", 0.0)
    stop, never_active = Event(), Event()
    with ThreadPoolExecutor(2) as threads, psycopg.connect(settings.event_log_url) as connection:
        connection.autocommit = True
        running = threads.submit(connection_monitor.monitor, event_log, settings, stop)
        _say(event_log, VIN)
        wait_for(_says(event_log, VIN, VehicleConnected), 20)
        checkpoints = Checkpoints(connection)
        head = event_log.head()
        wait_for(lambda: checkpoints.load(LIMIT_S, head).position == head, 20)
        waiting = threads.submit(connection_monitor.monitor, event_log, settings, never_active)
        never_active.set()
        waiting.result(20)
        _say(event_log, VIN)
        stop.set()
        running.result(20)
        assert list(checkpoints.load(LIMIT_S, event_log.head()).fleet.vehicles) == [VIN]
