"""How a process begins: it waits for what it needs, or says in one line what is missing and ends.

Nothing is harmed by starting it again, so whoever started it may.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, NoReturn

import psycopg

from vehicle_tracker.event_log import LOG_UNREACHABLE, EventLog
from vehicle_tracker.resilience import Answer, until_it_answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from vehicle_tracker.settings import Settings

CANNOT_START = 3
"""The exit code; 2 is a wrong setting's."""


def cannot_start(why: object) -> NoReturn:
    """Say why in one line, and end with `CANNOT_START`."""
    sys.stderr.write(f"cannot start: {' '.join(str(why).split())}\n")
    raise SystemExit(CANNOT_START)


def once_it_answers(
    ask: Callable[[], Answer], away: tuple[type[Exception], ...], within_s: float
) -> Answer:
    """What `ask` answers, tried again while it raises one of `away`; `cannot_start` after that."""
    try:
        return until_it_answers(away, within_s)(ask)()
    except away as error:
        cannot_start(getattr(error, "orig", None) or error)


def open_log(settings: Settings) -> EventLog:
    """The event log, once its PostgreSQL answers; `cannot_start` if it does not in time."""

    def ask() -> EventLog:
        # The log's pool would not say why it has no connection.
        psycopg.connect(settings.event_log_url, connect_timeout=2).close()
        return EventLog(settings.event_log_url)

    return once_it_answers(
        ask, (psycopg.OperationalError, *LOG_UNREACHABLE), settings.wait_for_stores_s
    )


def refuse_taken_port(port: int) -> None:
    """Return if this process may listen there; else `cannot_start`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            cannot_start(f"port {port}: {error.strerror}")
