"""The connection monitor on a real PostgreSQL: as processes that are killed, cut off and probed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

import psycopg
import pytest

from embedded.programs import free_port
from tests.monitoring import (
    LIMIT_S,
    VIN,
    appended,
    by_version,
    record_all,
    replayed,
    vin_of,
)
from tests.running import CHECKOUT, get, wait_for
from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    VehicleConnected,
    VehicleDisconnected,
)
from vehicle_tracker.domain.values import utc_now
from write_service import connection_monitor
from write_service.monitor_checkpoint import Checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


Start = "Callable[..., subprocess.Popen[bytes]]"


@pytest.fixture
def start_monitor(database_url: str) -> Iterator[Start]:
    """Starts monitors as processes, with a limit of one second."""
    environment = {
        **os.environ,
        "EVENT_LOG_URL": database_url,
        "DATABASE_URL": database_url,
        "DISCONNECT_AFTER_S": "1",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(**more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "write_service.connection_monitor"]
        started.append(subprocess.Popen(command, cwd=CHECKOUT, env={**environment, **more}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def _says(log: EventLog, vin: str, kind: type[ConnectionEvent]) -> Callable[[], bool]:
    return lambda: any(isinstance(one, kind) for one in appended(log, vin))


def _say(log: EventLog, vin: str) -> datetime:
    now = utc_now()
    record_all(log, (vin, now, now))
    return now


def test_a_killed_monitor_is_replaced_within_five_seconds(
    event_log: EventLog, start_monitor: Start
) -> None:
    """`kill -9`: the one that stands by takes over and overlooks nothing that happened between."""
    active = start_monitor()
    wait_for(lambda: event_log.judged_until(event_log.head()) is not None, 20)
    first = _say(event_log, VIN)
    wait_for(_says(event_log, VIN, VehicleConnected), 20)
    wait_for(_says(event_log, VIN, VehicleDisconnected), 20)
    delay = utc_now() - first - SECOND
    assert delay < 2 * SECOND, delay
    standing_by = start_monitor()
    _say(event_log, vin_of(1))
    wait_for(_says(event_log, vin_of(1), VehicleDisconnected), 20)
    assert standing_by.poll() is None
    active.kill()
    killed = time.monotonic()
    _say(event_log, vin_of(2))
    wait_for(_says(event_log, vin_of(2), VehicleConnected), 20)
    took = time.monotonic() - killed
    assert took < 5, took
    wait_for(_says(event_log, vin_of(2), VehicleDisconnected), 20)
    standing_by.send_signal(signal.SIGTERM)
    assert standing_by.wait(10) == 0
    assert by_version(replayed(event_log, 1)) == by_version(appended(event_log))


def test_a_monitor_survives_its_database(
    event_log: EventLog,
    database_url: str,
    start_monitor: Start,
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
    event_log.drop_lost_connections()
    _say(event_log, vin_of(1))
    wait_for(_says(event_log, vin_of(1), VehicleDisconnected), 20)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert by_version(replayed(event_log, 1)) == by_version(appended(event_log))


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


def test_it_tells_how_far_it_has_judged(event_log: EventLog, start_monitor: Start) -> None:
    """While it runs, however little happens; at an earlier position it had judged less."""
    assert event_log.judged_until(0) is None
    start_monitor()
    wait_for(lambda: event_log.judged_until(event_log.head()) is not None, 20)
    first = _say(event_log, VIN)
    wait_for(_says(event_log, VIN, VehicleDisconnected), 20)
    head = event_log.head()
    wait_for(lambda: (event_log.judged_until(head) or first) > first + SECOND, 20)
    now = utc_now()
    wait_for(lambda: (event_log.judged_until(head) or now) > now, 20)
    before_it_was_heard = event_log.judged_until(head - 2)
    assert before_it_was_heard is None or before_it_was_heard < first + SECOND


def test_it_shows_that_it_judges(event_log: EventLog, start_monitor: Start) -> None:
    """Judging or standing by it is ready; kept from judging too long, it is not, and says so."""
    addresses = []
    for _ in range(2):
        port = free_port()
        addresses.append(f"http://127.0.0.1:{port}")
        start_monitor(HEALTH_PORT=str(port), MOST_LAG_S="2")
        wait_for(lambda: get(addresses[-1], "/health/ready")[0] == 200, 20)
    active, standing_by = addresses
    _say(event_log, VIN)
    wait_for(lambda: "connection_monitor_vehicles 1.0" in get(active, "/metrics")[1], 20)
    assert "connection_monitor_late_seconds 0.0" in get(active, "/metrics")[1]
    assert "connection_monitor_active 0.0" in get(standing_by, "/metrics")[1]
    _say(event_log, vin_of(1))
    with event_log.writing():
        wait_for(lambda: get(active, "/health/ready")[0] == 503, 20)
        assert "the connection monitor" in get(active, "/health/ready")[1]
        assert get(standing_by, "/health/ready")[0] == 200
    wait_for(lambda: get(active, "/health/ready")[0] == 200, 20)
