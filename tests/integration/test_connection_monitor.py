"""The connection monitor on a real PostgreSQL: it tells the truth, whenever and however it ran."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from tests.monitoring import (
    GOING_ON,
    LIMIT_S,
    VIN,
    appended,
    by_version,
    judge_of,
    record_all,
    replayed,
    run_until,
    vin_of,
)
from vehicle_tracker.domain.connection import (
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
    intervals,
)
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, utc_now
from vehicle_tracker.writing import NewEvent
from write_service.application import VehicleTracker
from write_service.lateness import FEWEST
from write_service.monitor_checkpoint import Checkpoints

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def test_silence_is_declared_once_and_a_heartbeat_ends_it(event_log: EventLog) -> None:
    """A vehicle connects, is silent for longer than the limit, and connects again."""
    judge = judge_of(event_log)
    record_all(event_log, (VIN, NOW, NOW))
    run_until(judge, NOW + 2 * MINUTE)
    assert appended(event_log) == [VehicleConnected(VIN, NOW, LIMIT_S)]
    run_until(judge, NOW + 2 * MINUTE + SECOND)
    run_until(judge, NOW + 9 * MINUTE)
    record_all(event_log, (VIN, NOW + 10 * MINUTE, NOW + 10 * MINUTE))
    run_until(judge, NOW + 10 * MINUTE)
    assert appended(event_log)[1:] == [
        VehicleDisconnected(VIN, NOW, LIMIT_S),
        VehicleConnected(VIN, NOW + 10 * MINUTE, LIMIT_S),
    ]
    assert replayed(event_log) == appended(event_log)


def test_late_heartbeats_mend_what_follows(event_log: EventLog) -> None:
    """A declared silence that later turns out not to have been one is gone from the intervals."""
    judge = judge_of(event_log)
    record_all(event_log, (VIN, NOW, NOW))
    run_until(judge, NOW + 5 * MINUTE)
    back = NOW + 10 * MINUTE
    record_all(event_log, (VIN, back, back))
    record_all(event_log, *[(VIN, NOW + n * MINUTE, back + SECOND) for n in range(1, 10)])
    run_until(judge, back + 10 * SECOND)
    kinds = [type(one) for one in appended(event_log)]
    assert kinds == [VehicleConnected, VehicleDisconnected, VehicleConnected, ConnectionMended]
    assert intervals(appended(event_log)) == [(NOW, None)]
    assert by_version(replayed(event_log)) == by_version(appended(event_log))


def test_a_monitor_that_was_away_declares_nobody_dead(event_log: EventLog) -> None:
    """After an hour's stop it reads the hour's heartbeats first: only the silent one is silent."""
    fleet = [vin_of(number) for number in range(50)]
    judge = judge_of(event_log)
    record_all(event_log, *[(vin, NOW, NOW) for vin in fleet])
    run_until(judge, NOW + SECOND)
    for minute in range(1, 61):
        at = NOW + minute * MINUTE
        heard = fleet if minute <= 30 else fleet[1:]
        record_all(event_log, *[(vin, at, at) for vin in heard])
    run_until(judge_of(event_log, judge.watching), NOW + 60 * MINUTE + SECOND)
    silent = [one for one in appended(event_log) if isinstance(one, VehicleDisconnected)]
    assert silent == [VehicleDisconnected(fleet[0], NOW + 30 * MINUTE, LIMIT_S)]


def test_a_tracker_that_was_away_waits_for_what_vehicles_kept(event_log: EventLog) -> None:
    """After a night's outage silence counts anew: who sends what it kept was never gone."""
    keeper, silent = vin_of(0), vin_of(1)
    judge = judge_of(event_log)
    record_all(event_log, (keeper, NOW, NOW), (silent, NOW, NOW))
    run_until(judge, NOW + SECOND)
    morning = NOW + timedelta(hours=8)
    judge = judge_of(event_log, judge.watching)
    assert judge.catch_up(GOING_ON)
    judge.resume(morning)
    run_until(judge, morning + MINUTE)
    kept = [(keeper, NOW + n * MINUTE, morning + MINUTE) for n in range(1, 482)]
    record_all(event_log, *kept)
    run_until(judge, morning + MINUTE)
    connected = [VehicleConnected(vin, NOW, LIMIT_S) for vin in (keeper, silent)]
    assert appended(event_log) == connected
    run_until(judge, morning + 2 * MINUTE + SECOND)
    assert appended(event_log)[2:] == [VehicleDisconnected(silent, NOW, LIMIT_S)]
    assert by_version(replayed(event_log)) == by_version(appended(event_log))


def test_a_monitor_that_restarts_while_vehicles_send_resumes_nothing(event_log: EventLog) -> None:
    """Who heard them lately knows who is silent: nothing counts anew."""
    judge = judge_of(event_log)
    record_all(event_log, (VIN, NOW, NOW), (vin_of(1), NOW + 2 * MINUTE, NOW + 2 * MINUTE))
    assert judge.catch_up(GOING_ON)
    judge.resume(NOW + 2 * MINUTE + SECOND)
    run_until(judge, NOW + 2 * MINUTE + SECOND)
    assert VehicleDisconnected(VIN, NOW, LIMIT_S) in appended(event_log)


def test_what_is_in_the_log_is_read_before_anything_is_judged(event_log: EventLog) -> None:
    """A heartbeat that came after the last look, and before the verdict, prevents it."""
    judge = judge_of(event_log)
    record_all(event_log, (VIN, NOW, NOW))
    assert judge.catch_up(GOING_ON)
    record_all(event_log, (VIN, NOW + MINUTE, NOW + MINUTE))
    judge.judge(NOW + 2 * MINUTE + SECOND)
    assert appended(event_log) == [VehicleConnected(VIN, NOW, LIMIT_S)]


def test_two_monitors_at_once_are_harmless(event_log: EventLog) -> None:
    """Two that judge the same log in turns, one always behind, append what one alone would."""
    judges = [judge_of(event_log), judge_of(event_log)]
    for minute in range(0, 40, 2):
        at = NOW + minute * MINUTE
        heard = [vin_of(number) for number in range(8) if (minute // 2) % (number + 1) == 0]
        record_all(event_log, *[(vin, at, at) for vin in heard])
        record_all(event_log, *[(vin, at - 7 * MINUTE, at) for vin in heard if minute % 3 == 0])
        run_until(judges[minute // 2 % 3 // 2], at + SECOND)
    for judge in judges:
        run_until(judge, NOW + 60 * MINUTE)
    events = by_version(appended(event_log))
    assert events == by_version(replayed(event_log))
    kinds = Counter(type(one) for one in events)
    assert kinds.keys() == {VehicleConnected, VehicleDisconnected, ConnectionMended}
    assert kinds[VehicleConnected] == kinds[VehicleDisconnected]


def test_limits_of_vehicles_and_customers_are_followed(event_log: EventLog) -> None:
    """A vehicle's own limit goes before its customer's, that before the default; null resets."""
    tracker = VehicleTracker(event_log)
    patient = tracker.register_customer("Patient", "Väg 1", 600).customer_id
    other = tracker.register_customer("Other", "Väg 2").customer_id
    own, of_customer, default, moved = (vin_of(number) for number in range(4))
    tracker.register_vehicle(own, "A1", patient, {}, disconnect_after_s=30)
    tracker.register_vehicle(of_customer, "A2", patient, {})
    tracker.register_vehicle(default, "A3", other, {})
    tracker.register_vehicle(moved, "A4", other, {})
    tracker.change_vehicle(moved, {"customer_id": patient})
    now = utc_now()
    record_all(event_log, *[(vin_of(number), now, now) for number in range(4)])
    judge = judge_of(event_log)
    run_until(judge, now + SECOND)
    limits = {one.vin: one.disconnect_after_s for one in appended(event_log)}
    assert limits == {own: 30, of_customer: 600, default: LIMIT_S, moved: 600}
    tracker.change_vehicle(own, {"disconnect_after_s": None})
    tracker.change_customer(patient, {"disconnect_after_s": 60})
    run_until(judge, now + 61 * SECOND)
    silent = [one for one in appended(event_log) if isinstance(one, VehicleDisconnected)]
    assert {one.vin: one.disconnect_after_s for one in silent} == dict.fromkeys(
        (own, of_customer, moved), 60
    )
    assert by_version(replayed(event_log)) == by_version(appended(event_log))


def test_a_checkpoint_is_as_good_as_the_whole_log(event_log: EventLog, database_url: str) -> None:
    """A fleet that was kept goes on as the one it was; another log's, or none, is not taken."""
    tracker = VehicleTracker(event_log)
    customer_id = tracker.register_customer("Kalle", "Väg 1", 45).customer_id
    tracker.register_vehicle(VIN, "ABC123", customer_id, {})
    now = utc_now()
    record_all(event_log, (VIN, now, now), (VIN, now - 5 * MINUTE, now), (vin_of(1), now, now))
    judge = judge_of(event_log)
    run_until(judge, now + SECOND)
    with psycopg.connect(database_url, autocommit=True) as connection:
        checkpoints = Checkpoints(connection)
        assert checkpoints.load(LIMIT_S, event_log.head()).position == 0
        checkpoints.save(judge.watching)
        kept = checkpoints.load(LIMIT_S, event_log.head())
        assert kept.position == judge.watching.position > 0
        assert checkpoints.load(LIMIT_S, kept.position - 1).position == 0
    run_until(judge_of(event_log, kept), now + 5 * MINUTE)
    limits = {
        one.vin: one.disconnect_after_s
        for one in appended(event_log)
        if isinstance(one, VehicleDisconnected)
    }
    assert limits == {VIN: 45, vin_of(1): LIMIT_S}
    assert sum(isinstance(one, ConnectionMended) for one in appended(event_log)) == 1
    assert by_version(replayed(event_log)) == by_version(appended(event_log))


def test_nobody_is_silent_while_all_wait_for_the_tracker(
    event_log: EventLog, database_url: str
) -> None:
    """A fleet that gets late by more than its limit stays connected, also over a restart."""
    fleet = [vin_of(number) for number in range(FEWEST)]
    judge = judge_of(event_log)
    late = timedelta(0)
    for half_minutes in range(20):
        recorded = NOW + half_minutes * MINUTE / 2
        late = min(half_minutes * 15 * SECOND, 150 * SECOND)
        record_all(event_log, *[(vin, recorded, recorded + late) for vin in fleet])
        run_until(judge, recorded + late + SECOND)
        with psycopg.connect(database_url, autocommit=True) as connection:
            checkpoints = Checkpoints(connection)
            checkpoints.save(judge.watching)
            judge = judge_of(event_log, checkpoints.load(LIMIT_S, event_log.head()))
    assert Counter(type(one) for one in appended(event_log)) == {VehicleConnected: len(fleet)}
    assert by_version(replayed(event_log)) == by_version(appended(event_log))
    now = recorded + late + MINUTE
    assert judge.judged(now) == now - late
    assert not judge.judge(recorded + late + LIMIT_S * SECOND)
    run_until(judge, recorded + late + LIMIT_S * SECOND + SECOND)
    silent = [one for one in appended(event_log) if isinstance(one, VehicleDisconnected)]
    assert silent == [VehicleDisconnected(vin, recorded, LIMIT_S) for vin in fleet]


def test_a_checkpoint_of_another_format_is_not_taken(
    event_log: EventLog, database_url: str
) -> None:
    """What an older release kept is made anew from the log."""
    record_all(event_log, (VIN, NOW, NOW))
    judge = judge_of(event_log)
    run_until(judge, NOW)
    with psycopg.connect(database_url, autocommit=True) as connection:
        checkpoints = Checkpoints(connection)
        checkpoints.save(judge.watching)
        connection.execute("UPDATE connection_monitor SET format = format - 1")
        assert checkpoints.load(LIMIT_S, event_log.head()).position == 0


def test_a_row_that_makes_no_sense_leaves_nobody_unwatched(event_log: EventLog) -> None:
    """What cannot be decoded is skipped and said; the vehicles after it are judged."""
    with event_log.writing() as writing:
        writing.insert([NewEvent(heartbeat_stream(VIN), 1, HeartbeatRecorded.TOPIC, b"?")])
    record_all(event_log, (VIN, NOW, NOW))
    run_until(judge_of(event_log), NOW)
    assert appended(event_log) == [VehicleConnected(VIN, NOW, LIMIT_S)]
