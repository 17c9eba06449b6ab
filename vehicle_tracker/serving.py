"""How the services are served: the one command of `make run`, the benches and the tests."""

from __future__ import annotations

import sys

REQUESTS_AT_ONCE = 512
"""How many threads a write service has, each for one request: see `MAX_REQUESTS`."""

STREAMS_AT_ONCE = 800
"""How many streams a read service takes: each keeps a thread, and others need some, too."""

# By itself Granian would have half as many threads as it takes connections, which are 1,024.
_THREADS = {"write_service": REQUESTS_AT_ONCE, "read_service": STREAMS_AT_ONCE + 224}

# A connection costs little, and Granian takes no new one while as many are open.
_CONNECTIONS = 4096


def served(package: str, port: int, *options: str) -> list[str]:
    """The command that serves a package's `wsgi.app` on loopback.

    Of an option that is given twice Granian takes the last.
    """
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers-kill-timeout", "3"]
    command += ["--backpressure", str(_CONNECTIONS), "--blocking-threads", str(_THREADS[package])]
    return [*command, *options, f"{package}.wsgi:app"]
