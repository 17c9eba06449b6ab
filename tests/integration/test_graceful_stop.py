"""SIGTERM under load: what was accepted is finished and answered, nothing new is taken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from embedded.programs import free_port
from tests.following import VINS
from tests.running import CHECKOUT, wait_for
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.serving import served

if TYPE_CHECKING:
    from pathlib import Path

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

CLIENTS = 8


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Client(Thread):
    """Posts one heartbeat after the other on one connection, until it is closed."""

    _guard = Lock()
    _second = 0

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.answered: set[str] = set()

    def run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            while True:
                self._post(connection)
        except (OSError, HTTPException):
            connection.close()

    def _post(self, connection: HTTPConnection) -> None:
        with Client._guard:
            Client._second += 1
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + Client._second))
        connection.request(
            "POST", "/api/v1/heartbeats", json.dumps({"vin": VINS[0], "recorded_at": at})
        )
        answer = connection.getresponse()
        answer.read()
        if answer.status == 202:
            self.answered.add(at)


def _at(event: Any) -> str:
    assert isinstance(event, HeartbeatRecorded)
    return event.recorded_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_write_service_that_is_told_to_stop_finishes_what_it_accepted(
    settings: Settings, event_log: EventLog, fleet: Any, tmp_path: Path
) -> None:
    """It ends with 0, and every heartbeat it stored was answered: none is in the log unsaid."""
    port = free_port()
    environment = {**os.environ, "EVENT_LOG_URL": settings.event_log_url}
    before = event_log.head()
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "log").open("wb"))
        process = stack.enter_context(
            subprocess.Popen(
                served("write_service", port),
                env={**environment, "DATABASE_URL": settings.database_url},
                cwd=CHECKOUT,
                stdout=log,
                stderr=log,
            )
        )
        wait_for(lambda: _is_ready(port), 30)
        clients = [Client(port) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        wait_for(lambda: sum(len(client.answered) for client in clients) > 200, 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        for client in clients:
            client.join(20)
    answered = set().union(*(client.answered for client in clients))
    stored = {_at(event_log.event(row)) for row in event_log.read(before, 100_000)}
    assert stored == answered
