"""The composition root of followers and migrations."""

from __future__ import annotations

from flask import Flask

from projections import cli, database
from projections.database import db
from projections.migrated import MIGRATIONS
from vehicle_tracker.settings import Settings
from vehicle_tracker.telemetry import configure_logging


def create_app(settings: Settings | None = None) -> Flask:
    """What `follow`, `rebuild` and `parked` run in."""
    settings = settings or Settings.from_environment()
    configure_logging(settings)
    app = Flask("projections", static_folder=None)
    app.config.update(database.configuration(settings))
    app.extensions["settings"] = settings
    db.init_app(app)
    return app


def migrating(settings: Settings | None = None) -> Flask:
    """The same with all commands, `db` among them, which needs Alembic: a tenth of a start."""
    from flask_migrate import Migrate  # noqa: PLC0415 # for who migrates only

    app = create_app(settings)
    Migrate(app, db, directory=str(MIGRATIONS))
    for command in cli.COMMANDS:
        app.cli.add_command(command)
    return app
