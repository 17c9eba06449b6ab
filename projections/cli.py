"""What an operator may do with the projections: `flask --app projections …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from projections import parked
from projections.catalog import TRIP_SEARCH, VEHICLE_SEARCH, Projection, names_of, read_model
from projections.database import db
from projections.health import serve_follower_health
from projections.migrated import await_migrated
from projections.rebuild import BusyError
from projections.status import progress_of
from projections.store import OvertakenError
from vehicle_tracker.ending import told_to_stop
from vehicle_tracker.errors import Unavailable
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.schemas import rfc3339
from vehicle_tracker.starting import let_requests_go_first, open_log

if TYPE_CHECKING:
    from vehicle_tracker.settings import Settings


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _expect_known(name: str) -> None:
    kept = names_of(_settings())
    if name not in kept and name in (VEHICLE_SEARCH, TRIP_SEARCH):
        raise click.BadParameter(f"{name!r} is kept in Elasticsearch: set ELASTICSEARCH_URL")
    if name not in kept:
        known = ", ".join(sorted(kept))
        raise click.BadParameter(f"no projection is called {name!r}; there are: {known}")


@click.command("follow")
@click.argument("name")
@with_appcontext
def follow(name: str) -> None:
    """Keep the projection NAME up to date until told to stop (SIGTERM, Ctrl-C)."""
    _expect_known(name)
    settings, engine = _settings(), db.engine
    let_requests_go_first()
    with open_log(settings) as log:
        stop = told_to_stop()
        await_migrated(engine, settings.wait_for_stores_s)
        serve_follower_health(settings, lambda: progress_of([name], log, engine)[0])
        follower = read_model(name, settings, log).follower(log, engine, settings.follower_page)
        follower.run(stop)


@click.command("rebuild")
@click.argument("name")
@with_appcontext
def rebuild(name: str) -> None:
    """Build the projection NAME anew from the log, beside the live one, then swap them.

    Reading and following go on meanwhile. Stopped by Ctrl-C or SIGTERM, it goes on where it was
    when it is started again.
    """
    _expect_known(name)
    settings = _settings()
    with open_log(settings) as log:
        stop = told_to_stop()
        projection = read_model(name, settings, log)
        work = projection.rebuild(log, db.engine, settings, settings.follower_page)
        with click.progressbar(length=log.head(), label=f"Rebuilding {name}") as bar:

            def say(position: int, head: int) -> None:
                bar.length = head
                bar.update(position - bar.pos)

            try:
                done = work.run(say, stop)
            except (BusyError, Unavailable) as error:
                raise click.ClickException(str(error)) from error
    click.echo(f"{name} is rebuilt." if done else "Stopped; start it again to go on from here.")


parked_group = AppGroup("parked", help="The events that a projection could not fold.")


@parked_group.command("list")
@click.argument("name")
def list_parked(name: str) -> None:
    """List what NAME has parked: position, when, which event, and why."""
    _expect_known(name)
    for row in parked.parked_events(db.engine, name):
        click.echo(f"{row.position}  {rfc3339(row.parked_at)}  {row.topic}  {row.error}")


@parked_group.command("show")
@click.argument("name")
@click.argument("position", type=int)
def show_parked(name: str, position: int) -> None:
    """Show all of the event that NAME has parked from POSITION."""
    row = _parked_at(name, position)
    for field, value in row._asdict().items():
        text = bytes(value).decode(errors="replace") if field == "state" else value
        click.echo(f"{field:10} {text}")


@parked_group.command("replay")
@click.argument("name")
@click.argument("position", type=int, required=False)
def replay_parked(name: str, position: int | None) -> None:
    """Fold again what NAME has parked, all of it or the event from POSITION."""
    _expect_known(name)
    rows = [_parked_at(name, position)] if position else parked.parked_events(db.engine, name)
    failed = 0
    with open_log(_settings()) as log:
        projection = read_model(name, _settings(), log)
        if not isinstance(projection, Projection):
            raise click.BadParameter(f"{name} folds no events, and parks none")
        for row in rows:
            try:
                _replay(projection, log, row)
            except Exception as error:  # noqa: BLE001 # whatever it is, it is why it stays parked
                failed += 1
                click.echo(f"{row.position} stays parked: {type(error).__name__}: {error}")
            else:
                click.echo(f"{row.position} is folded.")
    if failed:
        raise click.exceptions.Exit(1)


@parked_group.command("drop")
@click.argument("name")
@click.argument("position", type=int)
def drop_parked(name: str, position: int) -> None:
    """Forget the event that NAME has parked from POSITION. The log keeps it."""
    _parked_at(name, position)
    parked.drop(db.engine, name, position)
    click.echo(f"{position} is parked no longer.")


def _replay(projection: Projection, log: EventLog, row: Any, tries: int = 20) -> None:
    """Fold it again, between two pages of whoever follows."""
    for left in reversed(range(tries)):
        try:
            return parked.replay(projection, projection.store(projection.name, db.engine), log, row)
        except OvertakenError:
            if not left:
                raise
    return None


def _parked_at(name: str, position: int) -> Any:
    _expect_known(name)
    for row in parked.parked_events(db.engine, name, position):
        return row
    raise click.BadParameter(f"{name} has parked no event from position {position}")


COMMANDS = (follow, rebuild, parked_group)
