"""How a process that answers no requests shows that it is well: on a port of its own."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from vehicle_tracker.operations import add_operations
from vehicle_tracker.refusal import refuse_taken_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vehicle_tracker.settings import Settings


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 # Werkzeug's name
        """Probes come every few seconds: they are not worth a line."""


def serve_health(name: str, settings: Settings, ready: Mapping[str, Callable[[], object]]) -> None:
    """Answer `/health/*` and `/metrics` in the background, as long as the process runs.

    Nothing is served without a `HEALTH_PORT`. `ready` is as of `add_operations`.
    """
    if not settings.health_port:
        return
    refuse_taken_port(settings.health_port)
    app = Flask(name, static_folder=None)
    add_operations(app, ready)
    server = make_server(
        "0.0.0.0", settings.health_port, app, threaded=True, request_handler=_Silent
    )
    Thread(target=server.serve_forever, name="health", daemon=True).start()
