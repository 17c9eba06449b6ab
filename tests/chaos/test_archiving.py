"""Archiving that is killed with -9 at random moments."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from psycopg.sql import SQL

from tests.following import heartbeat_row
from tests.running import CHECKOUT, wait_for
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from vehicle_tracker.settings import Settings

LONG_AGO = datetime(2025, 1, 31, 12, tzinfo=UTC)
COMMAND = [sys.executable, "-m", "write_service.archive", "--older-than", "1", "--at-once", "2000"]


def _row(number: int) -> NewEvent:
    return heartbeat_row(f"YS2R4X2000{number % 50:07d}", LONG_AGO + timedelta(seconds=number))


def _until(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    wait_for(lambda: process.poll() is not None or condition(), 60)


def test_kill_9_while_archiving(
    settings: Settings, dice: Random, say: Callable[[str], None], tmp_path: Path
) -> None:
    """Whenever it is killed every event is there once, in order, and a repeated one is known."""
    environment = {"EVENT_LOG_URL": settings.event_log_url, "EVENT_ARCHIVE": str(tmp_path)}
    rows = [_row(number) for number in range(40_001)]
    with EventLog(settings.event_log_url, archive=str(tmp_path)) as log:
        with log.writing() as writing:
            writing.insert(rows)
        before, kills, ended = log.read(0, 99_999), 0, None
        while ended != 0:
            # Not 0 while the server still works for the one that was killed.
            enough = len(list(tmp_path.iterdir())) + dice.randint(1, 4)
            with subprocess.Popen(COMMAND, cwd=CHECKOUT, env=environment) as process:
                _until(process, lambda enough=enough: len(list(tmp_path.iterdir())) >= enough)
                ended = process.poll()
                process.kill()
            kills += ended is None
            assert log.read(0, 99_999) == before
            with log.writing() as writing:
                assert writing.insert(dice.sample(rows, 500)).new == set()
        assert kills > 2
        left = SQL("SELECT count(*) FROM {table}").format(**log.rows.names)
        assert log.rows.fetch(left, within_s=5) == [(1,)]
    say(f"  killed {kills} times")
