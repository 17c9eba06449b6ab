"""One run of the whole tracker, as `make run` starts it, seen from outside."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import psutil

CHECKOUT = Path(__file__).parents[1]
VIN = "YS2R4X20005399401"
FIRST_START_S = 180.0
START_S = 60.0
STOP_S = 5.0
MINUTE = timedelta(minutes=1)


class Run:
    """One `python -m embedded`, from outside."""

    def __init__(self, data: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.data = data
        self._times = (datetime(2026, 1, 1, tzinfo=UTC) + n * MINUTE for n in itertools.count())
        self.answered: set[str] = set()
        self._environment = {
            **os.environ,
            "DATA_DIR": str(data),
            "PORT": str(port),
            "SIMULATOR": "off",
        }
        self._output = data.with_suffix(".out")
        self.process: subprocess.Popen[bytes]

    def start(self, within_s: float = START_S) -> float:
        """Start it; answer how long it took until it printed its address."""
        began = time.monotonic()
        with self._output.open("wb") as output:
            self.process = self._run(stdout=output)
        wait_for(lambda: self.address in self.said or self.process.poll() is not None, within_s)
        assert self.process.poll() is None, self.said
        return time.monotonic() - began

    def second(self) -> subprocess.CompletedProcess[bytes]:
        """Start another one in the same folder and see it end."""
        with self._run(stdout=subprocess.PIPE) as process:
            said, _ = process.communicate(timeout=START_S)
        return subprocess.CompletedProcess(process.args, process.returncode, said)

    def stop(self) -> float:
        """Ask it to end; answer how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return time.monotonic() - began

    @property
    def said(self) -> str:
        return self._output.read_text()

    @property
    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    @property
    def left(self) -> list[str]:
        """Every process that has to do with this run."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get("DATA_DIR") == str(self.data)
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(" ".join(process.cmdline()))
        return found

    def post_heartbeat(self) -> bool:
        """Send one heartbeat; note it when it is answered 202."""
        recorded_at = next(self._times).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = json.dumps({"vin": VIN, "recorded_at": recorded_at}).encode()
        status, _ = self.ask("POST", "/api/v1/heartbeats", body)
        if status == 202:
            self.answered.add(recorded_at)
        return status == 202

    def stored(self) -> set[str]:
        """Answer the times of all heartbeats, through the front door."""
        found: set[str] = set()
        path = f"/api/v1/vehicles/{VIN}/heartbeats?limit=500"
        cursor = ""
        while True:
            status, answer = self.ask("GET", f"{path}{cursor}")
            assert status == 200, answer
            page = json.loads(answer)
            found |= {f"{item['recorded_at'][:19]}Z" for item in page["items"]}
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Ask the front door; 0 when nobody opened."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.address}{path}",
            data=body,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def _run(self, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "embedded"],
            cwd=CHECKOUT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        )


def named(process: psutil.Process) -> str:
    """Name a child by what it runs."""
    line = " ".join(process.cmdline())
    names = {
        "embedded.guardian": "guardian",
        "postgres ": "postgresql",
        "ServerLauncher": "elasticsearch",
        "write_service.wsgi": "write-service",
        "read_service.wsgi": "read-service",
        "embedded.front_door": "front-door",
        "follow": "follower",
        "connection_monitor": "connection-monitor",
    }
    return next(name for part, name in names.items() if part in line)


def wait_for(condition: Callable[[], object], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.05)


def get(address: str, path: str) -> tuple[int, str]:
    """Ask one of our own processes; 0 when nobody opened."""
    try:
        with urllib.request.urlopen(address + path) as answer:  # noqa: S310 # our own address
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""
