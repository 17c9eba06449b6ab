"""What is said of a projection's progress is true at the time it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from projections.status import Progress

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIVE = Progress(
    name="p", position=7, head=7, parked=0, updated_at=NOW - timedelta(days=1), waiting_since=None
)


def _ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("progress", "state", "lag_events", "lag_seconds"),
    [
        (LIVE, "live", 0, 0.0),
        (replace(LIVE, position=0, head=0, updated_at=None), "live", 0, 0.0),
        (replace(LIVE, head=9, waiting_since=_ago(2)), "catching_up", 2, 2.0),
        (replace(LIVE, head=9, waiting_since=_ago(60)), "stalled", 2, 60.0),
        (replace(LIVE, head=9, waiting_since=_ago(60), updated_at=_ago(1)), "catching_up", 2, 60.0),
        (replace(LIVE, position=0, updated_at=None, waiting_since=_ago(60)), "stalled", 7, 60.0),
        (replace(LIVE, head=9, waiting_since=_ago(-60)), "catching_up", 2, 0.0),
        (replace(LIVE, head=9, updated_at=None), "catching_up", 2, 0.0),
        (replace(LIVE, head=3), "ahead_of_log", 0, 0.0),
    ],
)
def test_progress(progress: Progress, state: str, lag_events: int, lag_seconds: float) -> None:
    """Live where the log is; behind it, moving or not; never ahead of it without saying so."""
    assert progress.state(NOW) == state
    assert (progress.lag_events(), progress.lag_seconds(NOW)) == (lag_events, lag_seconds)
