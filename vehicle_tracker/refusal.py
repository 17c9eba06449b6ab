"""How a process refuses to start: it says in one line what is missing, and ends.

Nothing is harmed by starting it again, so whoever started it may.
"""

from __future__ import annotations

import socket
import sys
from typing import NoReturn

CANNOT_START = 3
"""The exit code; 2 is a wrong setting's."""


def cannot_start(why: object) -> NoReturn:
    """Say why in one line, and end with `CANNOT_START`."""
    sys.stderr.write(f"cannot start: {' '.join(str(why).split())}\n")
    raise SystemExit(CANNOT_START)


def refuse_taken_port(port: int) -> None:
    """Return if this process may listen there; else `cannot_start`."""
    try:
        expect_free(port)
    except OSError as error:
        cannot_start(f"port {port}: {error.strerror}")


def expect_free(port: int, host: str = "0.0.0.0") -> None:
    """Return if this process may listen there. Errors: `OSError`, which says why not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
