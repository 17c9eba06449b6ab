"""A door for heartbeats before Flask's, which costs ten times what is done behind it.

What a vehicle usually sends is taken here; all else is left to Flask, which answers on the same
routes by the same `HeartbeatIntake`, and so is the telling of every error. So both doors give the
same answers, and are seen alike in request ids and metrics.

Errors are told one at a time: a flood of wrong bodies has one thread's share of the processor.
"""

from __future__ import annotations

from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

from vehicle_tracker.domain.values import is_vin
from vehicle_tracker.web import BEGAN, REFUSED, answer_seconds
from write_service.heartbeat_body import refuse_torn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from write_service.heartbeat_intake import HeartbeatIntake

ROUTE = "/api/v1/heartbeats"
ROUTE_OF_ONE = "/api/v1/vehicles/<vin>/heartbeats"
_BEFORE, _AFTER = ROUTE_OF_ONE.split("<vin>")
_UNUSUAL = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_X_REQUEST_ID")


class HeartbeatDoor:
    """A WSGI application that takes plain heartbeats, and hands everything else to `flask`."""

    def __init__(
        self, flask: WSGIApplication, intake: HeartbeatIntake, *, service: str, most_bytes: int
    ) -> None:
        self._flask = flask
        self._intake = intake
        self._most_bytes = most_bytes
        self._telling = Lock()
        self._seconds = answer_seconds(service, ROUTE, "POST", 202)
        self._seconds_of_one = answer_seconds(service, ROUTE_OF_ONE, "POST", 202)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path = environ["PATH_INFO"]
        vin = path[len(_BEFORE) : -len(_AFTER)] if path.endswith(_AFTER) else ""
        ours = path == ROUTE or (path.startswith(_BEFORE) and is_vin(vin))
        if not ours or environ["REQUEST_METHOD"] != "POST" or not self._is_plain(environ):
            return self._flask(environ, start_response)
        began = environ[BEGAN] = perf_counter()
        try:
            answer = self._take("" if path == ROUTE else vin, environ)
        except Exception as error:  # noqa: BLE001 # Flask knows how to tell each
            environ[REFUSED] = error
            with self._telling:
                return self._flask(environ, start_response)
        seconds = self._seconds if path == ROUTE else self._seconds_of_one
        seconds.observe(perf_counter() - began)
        start_response(
            "202 ACCEPTED",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(answer))),
                ("X-Request-ID", uuid4().hex),
            ],
        )
        return [answer]

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        length = environ.get("CONTENT_LENGTH", "")
        return (
            REFUSED not in environ
            and length.isdecimal()
            and int(length) <= self._most_bytes
            and not any(header in environ for header in _UNUSUAL)
        )

    def _take(self, vin: str, environ: WSGIEnvironment) -> bytes:
        length, client = int(environ["CONTENT_LENGTH"]), environ.get("REMOTE_ADDR", "")
        body = environ["wsgi.input"].read(length)
        refuse_torn(body, length)
        if vin:
            return self._intake.take_one(vin, body, client)
        content_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        return self._intake.take(body, content_type, client)
