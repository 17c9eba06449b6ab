"""The composition root of followers and migrations."""

from __future__ import annotations

from flask import Flask

from projections import cli, database
from projections.database import db
from projections.migrated import MIGRATIONS
from vehicle_tracker.settings import Settings
from vehicle_tracker.telemetry import configure_logging


def create_app(settings: Settings | None = None) -> Flask:
    """The application behind `follow`, `rebuild` and `parked`."""
    settings = settings or Settings.from_environment()
    configure_logging(settings)
    app = Flask("projections", static_folder=None)
    app.config.update(database.configuration(settings))
    app.extensions["settings"] = settings
    db.init_app(app)
    for command in cli.COMMANDS:
        app.cli.add_command(command)
    return app


def migrating(settings: Settings | None = None) -> Flask:
    """The same, and what `db` needs: Alembic, a tenth of a follower's start."""
    from flask_migrate import Migrate  # noqa: PLC0415 # for who migrates only

    app = create_app(settings)
    Migrate(app, db, directory=str(MIGRATIONS))
    return app
