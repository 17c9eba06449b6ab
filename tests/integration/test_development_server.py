"""The services under Flask's own server, as docker-compose.yml runs them, take what is posted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from embedded.programs import free_port
from tests.running import CHECKOUT, wait_for

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

START_S, ANSWERS_S = 30, 10


def _posted(address: str, body: bytes) -> tuple[int, str]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/api/v1/customers", body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ANSWERS_S) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/health/live", timeout=1).close()  # noqa: S310
    except OSError:
        return False
    return True


def test_flasks_own_server_reads_a_body_to_its_end(event_log: EventLog, settings: Settings) -> None:
    """It does not close its input after a body, so nobody may wait for that."""
    port = free_port()
    command = [sys.executable, "-m", "flask", "--app", "write_service.wsgi", "run"]
    process = subprocess.Popen(
        [*command, f"--port={port}"],
        cwd=CHECKOUT,
        env={**os.environ, "EVENT_LOG_URL": settings.event_log_url},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(address), START_S)
        body = json.dumps({"name": "Kalle", "address": "Road 1"}).encode()
        assert _posted(address, body)[0] == 201
        status, said = _posted(address, b"{")
        assert (status, json.loads(said)["code"]) == (400, "malformed_json")
        assert event_log.head() > 0
    finally:
        process.terminate()
        process.wait(10)
