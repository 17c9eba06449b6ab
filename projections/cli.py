"""What an operator may do with the projections: `flask --app projections …`."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING

import click
import stamina
from flask import current_app
from flask.cli import with_appcontext

from projections.catalog import PROJECTIONS
from projections.database import db
from projections.follower import Follower
from vehicle_tracker.event_log import LOG_UNREACHABLE, EventLog

if TYPE_CHECKING:
    from vehicle_tracker.settings import Settings


@click.command()
@click.argument("name")
@with_appcontext
def follow(name: str) -> None:
    """Keep the projection NAME up to date until told to stop (SIGTERM, Ctrl-C)."""
    projection = PROJECTIONS.get(name)
    if projection is None:
        known = ", ".join(sorted(PROJECTIONS))
        raise click.BadParameter(f"no projection is called {name!r}; there are: {known}")
    settings: Settings = current_app.extensions["settings"]
    stop = Event()
    open_log = stamina.retry(on=LOG_UNREACHABLE, attempts=None, timeout=60)(EventLog)
    with open_log(settings.event_log_url) as log:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Follower(projection, log, db.engine, settings.follower_page).run(stop)
