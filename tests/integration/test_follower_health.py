"""A follower's `/health/ready` and `/metrics`, as a process with nothing but its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import text

from embedded.programs import free_port
from projections.catalog import CUSTOMER_VEHICLES
from tests.following import VINS, reached, record
from tests.running import CHECKOUT, get, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

NAME = CUSTOMER_VEHICLES.name
pytestmark = pytest.mark.usefixtures("fleet")


@pytest.fixture
def address(settings: Settings, engine: Engine) -> Iterator[str]:
    """Where a follower that may be ten seconds behind answers."""
    port = free_port()
    environment = {
        **os.environ,
        "EVENT_LOG_URL": settings.event_log_url,
        "DATABASE_URL": settings.database_url,
        "HEALTH_PORT": str(port),
        "MOST_LAG_S": "10",
    }
    command = [sys.executable, "-m", "projections", "follow", NAME]
    with subprocess.Popen(command, env=environment, cwd=CHECKOUT) as process:
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_follower_that_keeps_up_is_ready(
    address: str, event_log: EventLog, engine: Engine
) -> None:
    """Where the log is it is ready, and its metrics say so with the projection's name."""
    reached(event_log, engine)
    wait_for(lambda: get(address, "/health/ready")[0] == 200, 20)
    _, metrics = get(address, "/metrics")
    assert f'projection_lag_events{{projection="{NAME}"}} 0.0' in metrics
    assert f'projection_lag_seconds{{projection="{NAME}"}} 0.0' in metrics
    assert f'projection_parked_events{{projection="{NAME}"}} 0.0' in metrics


def test_whoever_answers_requests_goes_first(address: str) -> None:
    """A follower is nicer than a service, which is started with no niceness of its own."""
    wait_for(lambda: get(address, "/health/ready")[0] == 200, 20)
    (follower,) = (one for one in psutil.Process().children() if "follow" in one.cmdline())
    assert follower.nice() > psutil.Process().nice()


def test_a_follower_that_falls_behind_is_not_ready(
    address: str, event_log: EventLog, engine: Engine
) -> None:
    """Held up for longer than it may be behind, it says by how much; let go, it is ready again."""
    reached(event_log, engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT 1 FROM projection FOR UPDATE"))
        record(event_log, VINS[0], datetime.now(UTC) - timedelta(seconds=11))
        wait_for(lambda: get(address, "/health/ready")[0] == 503, 20)
        _, answer = get(address, "/health/ready")
        assert f"{NAME} is 1 events and" in answer
    wait_for(lambda: get(address, "/health/ready")[0] == 200, 20)
