"""A read service as a process of its own, and clients that listen to its stream."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from embedded.programs import free_port
from projections.paging import decode_cursor
from tests.running import CHECKOUT, wait_for
from vehicle_tracker.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vehicle_tracker.settings import Settings

HOST = "127.0.0.1"


class ReadService:
    """One `granian … read_service.wsgi:app`."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / f"read-service-{self.port}.log"
        where = {"EVENT_LOG_URL": settings.event_log_url, "DATABASE_URL": settings.database_url}
        self._environment = {**os.environ, **where, "ELASTICSEARCH_URL": ""}
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                served("read_service", self.port),
                env=self._environment,
                cwd=CHECKOUT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: is_ready(self.port) or self.process.poll() is not None, 30)
        assert self.process.poll() is None, self._log.read_text()

    def stop(self) -> float:
        """Ask it to end; how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self._log.read_text()
        return time.monotonic() - began

    def kill(self) -> None:
        """End it and its worker at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def get(self, path: str) -> Any:
        """The JSON of an answer."""
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        """The body of an answer."""
        with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=20) as answer:
            return str(answer.read().decode())


def is_ready(port: int) -> bool:
    """Whether the service on this port, or behind it, says so."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health/ready", timeout=20) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def serving(settings: Settings, folder: Path) -> Iterator[ReadService]:
    """A read service; ended afterwards, if it has not ended yet."""
    service = ReadService(settings, folder)
    service.start()
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


@dataclass
class Client:
    """Listens as a browser does: knows the last id, comes again with it, and keeps what it is told.

    `receives` is the size of its socket's buffer; a small one is soon full if nothing is read.
    """

    port: int
    query: str = ""
    method: str = "GET"
    receives: int = 0
    last_id: str | None = None
    vehicles: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, Any]] = field(default_factory=list)
    """Each event's name and data."""

    def connect(self) -> Client:
        """Ask for the stream, and read the head of the answer."""
        self._socket = socket.socket()
        if self.receives:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receives)
        self._socket.connect((HOST, self.port))
        self._socket.settimeout(20)
        again = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        path = f"/api/v1/stream?{quote(self.query, safe='=&,.-')}"
        head = f"{self.method} {path} HTTP/1.0\r\nHost: test\r\n{again}\r\n"
        self._socket.sendall(head.encode())
        self._lines = self._socket.makefile("rb")
        self.status = int(self._lines.readline().split()[1])
        while self._lines.readline().strip():
            pass
        return self

    def hear(self) -> tuple[str, Any] | None:
        """The next event; None at the end of the stream. Comments and ids are silent."""
        name, data = "", None
        with suppress(ConnectionError):
            for raw in self._lines:
                key, _, value = raw.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    data = json.loads(value)
                elif key == "id":
                    self.last_id = value
                elif not key and data is not None:
                    self._keep(name, data)
                    return name, data
        return None

    def hear_all(self, position: int) -> None:
        """Hear everything up to a position of the log, of which the last is a message."""
        while not self.last_id or decode_cursor(self.last_id, tuple[str, int])[1] < position:
            assert self.hear(), "the stream ended"

    def body(self) -> Any:
        """The rest of an answer that is no stream, as JSON."""
        return json.loads(self._lines.read())

    def hear_until(self, name: str, **wanted: Any) -> Any:
        """The data of the next event of this name, of this vehicle in this status."""
        while (event := self.hear()) is not None:
            said = event[1].get("vehicle") or event[1]
            if event[0] == name and wanted.items() <= said.items():
                return event[1]
        raise AssertionError(f"the stream ended before {name} {wanted}")

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def _keep(self, name: str, data: Any) -> None:
        self.heard.append((name, data))
        if name == "vehicle":
            self.vehicles[data["vehicle"]["vin"]] = data["vehicle"]
        elif name == "gone":
            self.vehicles.pop(data["vin"], None)
