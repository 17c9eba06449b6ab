"""Each heartbeat is stored exactly once, whoever remembers what of the log."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from eventsourcing.persistence import DataError, IntegrityError
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.following import VINS, archive, record
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import to_microseconds
from vehicle_tracker.event_log import EventLog
from write_service import known_heartbeats
from write_service.heartbeats import HeartbeatRecorder, Outcome, encoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vehicle_tracker.domain.customer import Customer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
UNKNOWN_VIN = "WVWZZZ1KZAW000001"
ONE, OTHER, ELSEWHERE, LOST, ARCHIVED, STARTED = range(6)
LATE = 2_000_000_000
"""Later than any heartbeat of the fleet."""

LOSE = "lose-this"


@pytest.fixture
def event_log(database_url: str, tmp_path: Path) -> Iterator[EventLog]:
    """An empty event log that has an archive."""
    with EventLog(database_url, archive=str(tmp_path)) as log:
        yield log


said = st.tuples(st.sampled_from([*VINS[:2], UNKNOWN_VIN]), st.integers(-2, 3))
happens = st.tuples(
    st.sampled_from([ONE, ONE, OTHER, ELSEWHERE, LOST, ARCHIVED, STARTED]),
    st.lists(said, min_size=1, max_size=6),
)


_REFUSE = f"""
ALTER TABLE vehicle_tracker_events DROP CONSTRAINT IF EXISTS lost, ADD CONSTRAINT lost
CHECK (topic <> 'Heartbeat.Recorded' OR 1 / (position('{LOSE}'::bytea in state) = 0)::integer = 1)
"""
"""PostgreSQL divides by zero where a state has this request id: all of the append is lost."""

_RESTORE = """
INSERT INTO vehicle_tracker_events SELECT originator_id, %s, topic, state, 0
FROM vehicle_tracker_events ORDER BY notification_id DESC LIMIT 1
"""
"""The last heartbeat again, at another instant, where nobody looks for new events."""


def _post(
    recorder: HeartbeatRecorder, posted: Sequence[tuple[str, int]], request_id: str | None = None
) -> list[Outcome]:
    heartbeats = [
        encoded(Heartbeat(vin=vin, recorded_at=_at(second)), NOW, request_id)
        for vin, second in posted
    ]
    return recorder.record(heartbeats, request_id=request_id).outcomes


def _at(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def _expected(posted: Sequence[tuple[str, int]], known: set[tuple[str, int]]) -> list[Outcome]:
    outcomes = []
    for one in posted:
        if one[0] == UNKNOWN_VIN:
            outcomes.append(Outcome.UNKNOWN_VEHICLE)
        else:
            outcomes.append(Outcome.DUPLICATE if one in known else Outcome.ACCEPTED)
            known.add(one)
    return outcomes


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example([(ONE, [(VINS[0], 0)]), (OTHER, [(VINS[0], 1)]), (ONE, [(VINS[0], 1)])], 50_000)
@example(
    [
        (ONE, [(VINS[0], 0)]),
        (OTHER, [(VINS[0], 2), (VINS[1], 3)]),
        (ARCHIVED, []),
        (ONE, [(VINS[0], 2), (VINS[0], 1)]),
        (STARTED, [(VINS[0], 2), (VINS[1], 3)]),
    ],
    50_000,
)
@given(steps=st.lists(happens, min_size=3, max_size=8), most_read=st.sampled_from([2, 50_000]))
def test_what_is_new_is_what_the_log_does_not_hold(
    fleet: Customer,
    event_log: EventLog,
    database_url: str,
    steps: list[tuple[int, list[tuple[str, int]]]],
    most_read: int,
) -> None:
    """Two write services, one just started, somebody else, a lost append, an archive in between.

    Accepted is what nobody stored before.
    """
    with event_log.rows.datastore.get_connection() as connection:
        connection.execute("DELETE FROM vehicle_tracker_events WHERE topic = 'Heartbeat.Recorded'")
        connection.execute(
            "TRUNCATE vehicle_tracker_events_blocks, vehicle_tracker_events_archived"
        )
        connection.execute(_REFUSE)
    recorders = {who: HeartbeatRecorder(event_log) for who in (ONE, OTHER)}
    known: set[tuple[str, int]] = set()
    with patch.object(known_heartbeats, "MOST_READ", most_read):
        for who, posted in steps:
            if who in recorders or who == STARTED:
                recorder = recorders.get(who) or HeartbeatRecorder(event_log)
                assert _post(recorder, posted) == _expected(posted, known)
            elif who == ARCHIVED:
                archive(event_log, database_url, NOW + timedelta(days=1))
            elif who == ELSEWHERE:
                record(event_log, VINS[0], _at(posted[0][1]))
                known.add((VINS[0], posted[0][1]))
            else:
                with suppress(DataError):
                    _post(recorders[ONE], posted, request_id=LOSE)
    stored = [one for one in event_log.read(0, 10_000) if one.topic == HeartbeatRecorded.TOPIC]
    found = [(event_log.event(one).vin, one.version) for one in stored]
    assert sorted(found) == sorted((vin, to_microseconds(_at(second))) for vin, second in known)


def test_a_log_that_is_not_the_one_it_was(fleet: Customer, event_log: EventLog) -> None:
    """After a restore a heartbeat may be refused, but once: then the log is looked at anew."""
    recorder = HeartbeatRecorder(event_log)
    assert _post(recorder, [(VINS[0], LATE)]) == [Outcome.ACCEPTED]
    with event_log.rows.datastore.get_connection() as connection:
        connection.execute(_RESTORE, [to_microseconds(_at(LATE + 1))])
    posted = [(VINS[0], LATE + 1), (VINS[0], LATE + 2)]
    with pytest.raises(IntegrityError):
        _post(recorder, posted)
    assert _post(recorder, posted) == [Outcome.DUPLICATE, Outcome.ACCEPTED]
