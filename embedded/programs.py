"""The processes of the tracker as programs: the same commands wherever it is run on one machine."""

import random
import sys
from collections.abc import Mapping
from pathlib import Path

from embedded.supervisor import Program
from vehicle_tracker.refusal import expect_free
from vehicle_tracker.serving import served

HOST = "127.0.0.1"
CHECKOUT = Path(__file__).parent.parent


def addresses(postgresql: str, elasticsearch: str) -> dict[str, str]:
    """The environment by which every process finds the others."""
    return {
        "EVENT_LOG_URL": postgresql,
        "DATABASE_URL": postgresql,
        "ELASTICSEARCH_URL": elasticsearch,
        "LOG_FORMAT": "text",
        "TRUSTED_PROXIES": HOST,
        "PYTHONUNBUFFERED": "1",
    }


def service(name: str, port: int, where: Mapping[str, str], *options: str) -> Program:
    """The service `write` or `read`; `options` are Granian's."""
    command = served(f"{name}_service", port, *options)
    return Program(f"{name}-service", command, where, folder=CHECKOUT)


def projections(name: str, where: Mapping[str, str], *arguments: str) -> Program:
    """A command of the read models: `db upgrade`, `follow NAME`."""
    command = [sys.executable, "-m", "projections", *arguments]
    return Program(name, command, where, folder=CHECKOUT)


def monitor(where: Mapping[str, str]) -> Program:
    """The connection monitor."""
    command = [sys.executable, "-m", "write_service.connection_monitor"]
    return Program("connection-monitor", command, where, folder=CHECKOUT)


PORTS = range(20_000, 32_768)
"""Below what Linux and others give to whoever connects: no client can come between."""

_given: set[int] = set()


def free_port() -> int:
    """A port that nobody has just now, and that was given to none of our programs before."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 # two processes should seldom choose the same
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    try:
        expect_free(port)
    except OSError:
        return False
    return True
