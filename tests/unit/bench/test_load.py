"""The load generator posts for as long as it is told to, or as long as there is something to."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from bench import load


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer nothing."""
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_load_that_is_used_up_ends() -> None:
    """All of it is answered, and nobody waits for the rest of the time."""
    prepared = iter([load.get("/")] * 7)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        measured = load.run(server.server_port, 2, 60.0, lambda: next(prepared, None))
        server.shutdown()
    assert measured.statuses == {204: 7}
    assert measured.seconds < 60
