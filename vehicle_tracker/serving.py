"""How the services are served: the one command of `make run`, the benches and the tests."""

from __future__ import annotations

import sys


def served(application: str, port: int, *options: str) -> list[str]:
    """The command that serves a WSGI application, as `write_service.wsgi:app`, on loopback.

    Of an option that is given twice Granian takes the last.
    """
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers-kill-timeout", "3"]
    return [*command, *options, application]
