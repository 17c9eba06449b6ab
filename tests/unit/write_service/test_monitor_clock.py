"""The instant up to which silence is judged: no clock that jumps may kill a fleet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from write_service.monitor_clock import COMMITS_WITHIN, JudgingClock

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NEVER = datetime.min.replace(tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def test_it_follows_the_clock() -> None:
    """While the clock goes as time does, judged is all but what may be on its way to the log."""
    clock = JudgingClock(NOW)
    assert clock.judged_until(NOW, 0 * SECOND, NEVER) == NOW - COMMITS_WITHIN
    drifted = NOW + 1.4 * SECOND
    assert clock.judged_until(drifted, SECOND, NOW) == drifted - COMMITS_WITHIN


@pytest.mark.parametrize("jump", [HOUR, 24 * 365 * HOUR])
def test_a_clock_that_jumps_ahead_declares_nothing(jump: timedelta) -> None:
    """A clock ahead of time itself is wrong: judging goes on at time's own pace."""
    clock = JudgingClock(NOW)
    clock.judged_until(NOW, 0 * SECOND, NOW)
    judged = clock.judged_until(NOW + SECOND + jump, SECOND, NOW)
    assert judged == NOW + SECOND - COMMITS_WITHIN
    heard_then = NOW + 2 * SECOND + jump
    assert clock.judged_until(heard_then, SECOND, heard_then) == heard_then - COMMITS_WITHIN


def test_a_clock_that_jumps_back_waits_and_catches_up_at_once() -> None:
    """Nothing is due while the clock is behind; put right, it judges as if nothing had been."""
    clock = JudgingClock(NOW)
    assert clock.judged_until(NOW - HOUR, SECOND, NOW) == NOW - HOUR - COMMITS_WITHIN
    assert clock.judged_until(NOW + 2 * SECOND, SECOND, NOW) == NOW + 2 * SECOND - COMMITS_WITHIN


def test_a_reception_in_the_future_declares_nothing() -> None:
    """A write process whose clock is ahead does not take this one along."""
    clock = JudgingClock(NOW)
    assert clock.judged_until(NOW, 0 * SECOND, NOW + HOUR) == NOW - COMMITS_WITHIN
