"""`make run`, for real: each process of it is killed in turn; nothing promised is lost."""

import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from embedded.programs import free_port
from tests.running import FIRST_START_S, START_S, STOP_S, VIN, Run, named, wait_for

BACK_AGAIN_S = 60.0

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def run() -> Iterator[Run]:
    with _in_a_fresh_folder() as made:
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[Run]:
    """One for all who only look at it."""
    with _in_a_fresh_folder() as made:
        made.start(FIRST_START_S)
        yield made


@contextmanager
def _in_a_fresh_folder() -> Iterator[Run]:
    with tempfile.TemporaryDirectory(prefix="vt run-", ignore_cleanup_errors=True) as folder:
        made = Run(Path(folder) / "data", free_port())
        try:
            yield made
        finally:
            if made.process.poll() is None:
                made.stop()


def test_nothing_is_lost(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is killed comes back by itself, and all that was answered 202 is there for ever."""
    run.start(FIRST_START_S)
    assert run.post_heartbeat()
    for name in sorted(named(child) for child in run.children):
        kill_one(run, name)
        wait_for(run.post_heartbeat, BACK_AGAIN_S)
        wait_for(lambda: run.ask("GET", "/health/ready")[0] == 200, BACK_AGAIN_S)
    assert run.answered <= run.stored()
    for name in ("postgresql", "write-service", "front-door"):
        assert f"{name} was ended by SIGKILL; starting it again" in run.said

    run.process.kill()
    run.process.wait()
    took_s = run.start()
    assert run.answered <= run.stored()

    kill_all(run)
    run.start()
    assert run.post_heartbeat()
    assert run.answered <= run.stored()

    stopped_s = run.stop()
    assert (run.process.returncode, run.left) == (0, [])
    assert stopped_s < STOP_S

    again_s = run.start()
    assert run.answered <= run.stored()
    with capsys.disabled():
        sys.stdout.write(
            f"\nmake run: second start {again_s:.1f} s, after kill -9 {took_s:.1f} s,"
            f" stop {stopped_s:.1f} s\n"
        )


def test_two_at_once(running: Run) -> None:
    """A second run in the same folder, or on the same port, gets one clear sentence."""
    second = running.second()
    assert second.returncode == 1
    assert re.fullmatch(
        r"It is already running from .* at http://127\.0\.0\.1:\d+; `kill \d+` stops it\.\n",
        second.stdout.decode(),
    )
    other = Run(running.data.with_name("other"), int(running.address.rpartition(":")[2]))
    refused = other.second()
    assert refused.returncode == 1
    assert re.fullmatch(
        r"Port \d+ is in use by another program; choose another: make run PORT=\d+\n",
        refused.stdout.decode(),
    )


def test_one_address(running: Run) -> None:
    """One address serves the dashboard, both services and the demo fleet."""
    status, page = running.ask("GET", "/")
    assert (status, b"<html" in page) == (200, True)
    assert running.ask("GET", "/heartbeat/ping")[0] == 200
    assert running.ask("GET", "/write/health/ready")[0] == 200
    assert running.ask("GET", "/docs")[0] == 200

    def fleet() -> list[dict[str, object]]:
        items: list[dict[str, object]] = json.loads(running.ask("GET", "/api/v1/vehicles")[1])[
            "items"
        ]
        return items

    wait_for(lambda: len(fleet()) == 7, START_S)
    assert VIN in {vehicle["vin"] for vehicle in fleet()}


def kill_one(run: Run, name: str) -> None:
    """Kill a child with -9 and wait until it is gone."""
    victim = next(child for child in run.children if named(child) == name)
    victim.kill()
    wait_for(lambda: not victim.is_running(), STOP_S)


def kill_all(run: Run) -> None:
    """Kill the supervisor and all of its children with -9, so that nobody can tidy up."""
    victims = run.children
    run.process.kill()
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    run.process.wait()
