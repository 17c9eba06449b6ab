"""Who may come in: no client may hold all threads, nor all the memory there is for bodies.

A request holds a thread from when it came until it is answered, and a body may take its sender as
long as he likes. So what a client may hold at once is bounded, before a byte of the body is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vehicle_tracker.errors import Unavailable
from vehicle_tracker.web import REFUSED
from write_service.fair_share import FairShare

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")


class Admission:
    """A WSGI application that admits requests with bodies to another, each client its share."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        most_requests: int,
        bodies: FairShare,
        most_bytes: int,
    ) -> None:
        self._application = application
        self._requests = FairShare(most_requests, "requests")
        self._bodies = bodies
        self._most_bytes = most_bytes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, with 503 `overloaded` if its client already holds its share."""
        if environ["REQUEST_METHOD"] not in _WITHOUT_BODY:
            client = environ.get("REMOTE_ADDR", "")
            try:
                with (
                    self._requests.holding(client, 1),
                    self._bodies.holding(client, self._size(environ)),
                ):
                    return self._application(environ, start_response)
            except Unavailable as error:
                environ[REFUSED] = error
        return self._application(environ, start_response)

    def _size(self, environ: WSGIEnvironment) -> int:
        """How much its body takes, at most: what is larger is refused unread."""
        length = environ.get("CONTENT_LENGTH", "")
        if not length and "HTTP_TRANSFER_ENCODING" not in environ:
            return 1
        return (
            max(1, min(int(length), self._most_bytes)) if length.isdecimal() else self._most_bytes
        )
