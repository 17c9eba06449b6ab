"""How a process begins: it waits for the stores that it needs, and refuses to start without."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg

from vehicle_tracker.event_log import LOG_UNREACHABLE, EventLog
from vehicle_tracker.refusal import cannot_start
from vehicle_tracker.resilience import Answer, until_it_answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from vehicle_tracker.settings import Settings

_BEHIND = 5
"""By so much nicer than who answers requests: a third of its share where both want to run."""


def let_requests_go_first() -> None:
    """To be called once by a process that follows the log.

    Where the processors are short it may be some tenths of a second later; somebody is waiting for
    an answer.
    """
    os.nice(_BEHIND)


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
        return EventLog(settings.event_log_url, archive=settings.event_archive)

    return once_it_answers(
        ask, (psycopg.OperationalError, *LOG_UNREACHABLE), settings.wait_for_stores_s
    )
