"""An HTTP proxy in front of Elasticsearch that passes requests on as badly as it is told to."""

from __future__ import annotations

import json
import time
from contextlib import closing
from enum import Enum, auto
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from tests.chaos.wire import HOST

SLOWLY_S = 0.7
JSON = {"Content-Type": "application/json"}
BUSY = json.dumps(
    {"error": {"type": "es_rejected_execution_exception", "reason": "too busy"}, "status": 429}
).encode()


class Fault(Enum):
    """How a request may go wrong."""

    AWAY = auto()
    """Nobody answers, and nothing was done."""
    MUTE = auto()
    """It was done, and nobody answers."""
    SLOW = auto()
    """It was done, late."""
    BUSY = auto()
    """429, and nothing was done."""
    HALF = auto()
    """429, and half of the documents were written."""


class FaultyProxy(ThreadingHTTPServer):
    """Commits the fault that it is told to, in turn with those after it, until told otherwise."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__((HOST, 0), _Handler)
        self.behind = urlsplit(url).netloc
        self.url = f"http://{HOST}:{self.server_port}"
        self.faults: tuple[Fault | None, ...] = (None,)
        self.committed = 0
        self._asked = 0
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    def next_fault(self) -> Fault | None:
        """What goes wrong with the request at hand."""
        self._asked += 1
        faults = self.faults
        fault = faults[self._asked % len(faults)]
        self.committed += fault is not None
        return fault

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def end(self) -> None:
        """Hang up."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def pass_on(self) -> None:
        """Commit the fault, or answer what Elasticsearch answers."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.next_fault()
        if fault is Fault.AWAY:
            self.close_connection = True
        elif fault is Fault.BUSY:
            self._answer(429, JSON, BUSY)
        else:
            self._ask_and_answer(fault, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = pass_on  # noqa: N815 # http.server's names

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _ask_and_answer(self, fault: Fault | None, body: bytes) -> None:
        if fault is Fault.SLOW:
            time.sleep(SLOWLY_S)
        if fault is Fault.HALF and "/_bulk" in self.path:
            lines = body.splitlines(keepends=True)
            body = b"".join(lines[: len(lines) // 4 * 2])
        try:
            status, headers, answer = self._ask(body)
        except (OSError, HTTPException):
            fault = Fault.AWAY
        if fault in (Fault.MUTE, Fault.AWAY):
            self.close_connection = True
        elif fault is Fault.HALF:
            self._answer(429, JSON, BUSY)
        else:
            self._answer(status, headers, answer)

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        given = {
            name: self.headers[name] for name in ("Accept", "Content-Type") if self.headers[name]
        }
        with closing(HTTPConnection(self.server.behind, timeout=30)) as connection:
            connection.request(self.command, self.path, body or None, given)
            response = connection.getresponse()
            kept = ("Content-Type", "X-Elastic-Product")
            headers = {name: value for name in kept if (value := response.headers[name])}
            return response.status, headers, response.read()

    def _answer(self, status: int, headers: dict[str, str], answer: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"X-Elastic-Product": "Elasticsearch"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)
