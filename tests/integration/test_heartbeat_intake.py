"""From a body to its answer: there is room for each client, and it is asked for first."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.following import VINS
from tests.running import wait_for
from vehicle_tracker.errors import TrackerError
from write_service.heartbeat_intake import HeartbeatIntake
from write_service.heartbeats import HeartbeatRecorder

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog

GREEDY, OTHER = "127.0.0.2", "127.0.0.3"
MOST_ITEMS = 20


@pytest.fixture
def intake(event_log: EventLog, fleet: Any) -> HeartbeatIntake:
    """Has room for two batches of the largest size."""
    recorder = HeartbeatRecorder(event_log)
    return HeartbeatIntake(recorder, most_items=MOST_ITEMS, most_waiting=2 * MOST_ITEMS)


def _heartbeats(number: int) -> bytes:
    """Of one vehicle, a second between them."""
    times = (f"2026-02-01T12:00:{second:02}Z" for second in range(number))
    return json.dumps([{"vin": VINS[0], "recorded_at": at} for at in times]).encode()


def _accepted(answer: bytes) -> int:
    return int(json.loads(answer)["accepted"])


def _refusal(intake: HeartbeatIntake, client: str, body: bytes) -> str:
    with pytest.raises(TrackerError) as caught:
        intake.take(body, "", client)
    return caught.value.code


def test_who_holds_his_share_is_refused_before_his_body_is_looked_at(
    intake: HeartbeatIntake, event_log: EventLog
) -> None:
    """While half of the room is one client's, nobody reads what more he sends; others find room.

    Whoever sends too many at once is told so, as ever. What was taken is committed, and then there
    is room again.
    """
    no_json, too_many = b"{", b"[%s]" % b",".join([b"{}"] * 1_000)
    with ThreadPoolExecutor(3) as threads:
        with event_log.writing():
            held = threads.submit(intake.take, _heartbeats(MOST_ITEMS), "", GREEDY)
            wait_for(lambda: _refusal(intake, GREEDY, no_json) == "overloaded", 20)
            assert _refusal(intake, GREEDY, _heartbeats(1)) == "overloaded"
            assert _refusal(intake, OTHER, no_json) == "malformed_json"
            assert _refusal(intake, OTHER, too_many) == "batch_too_large"
            others = threads.submit(intake.take_one, VINS[1], b"", OTHER)
        assert (_accepted(held.result(20)), _accepted(others.result(20))) == (MOST_ITEMS, 1)
    assert _refusal(intake, GREEDY, no_json) == "malformed_json"
