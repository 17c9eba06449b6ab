"""How the services are served: the one command of `make run`, the benches and the tests."""

from __future__ import annotations

import sys

REQUESTS_AT_ONCE = 512
"""How many threads a write service has, each for one request: see `MAX_REQUESTS`."""

# A connection costs little, and Granian takes no new one while as many are open.
_OF_THE_WRITE_SERVICE = ("--backpressure", "4096", "--blocking-threads", str(REQUESTS_AT_ONCE))


def served(package: str, port: int, *options: str) -> list[str]:
    """The command that serves a package's `wsgi.app` on loopback.

    Of an option that is given twice Granian takes the last.
    """
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers-kill-timeout", "3"]
    command += _OF_THE_WRITE_SERVICE if package == "write_service" else ()
    return [*command, *options, f"{package}.wsgi:app"]
