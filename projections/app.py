"""The composition root of followers and migrations."""

from __future__ import annotations

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import Engine

from projections import cli, database
from projections.database import db
from vehicle_tracker.settings import Settings
from vehicle_tracker.telemetry import configure_logging

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def create_app(settings: Settings | None = None) -> Flask:
    """The application behind `flask --app projections`: `db`, `follow`, `rebuild`, `parked`."""
    settings = settings or Settings.from_environment()
    configure_logging(settings)
    app = Flask("projections", static_folder=None)
    app.config.update(database.configuration(settings))
    app.extensions["settings"] = settings
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS))
    for command in cli.COMMANDS:
        app.cli.add_command(command)
    return app


def expect_migrated(engine: Engine) -> None:
    """Return if the database has the schema of this release; else raise, naming both."""
    expected = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with engine.connect() as connection:
        actual = MigrationContext.configure(connection).get_current_revision()
    if actual != expected:
        raise RuntimeError(f"the database is at migration {actual}, this release at {expected}")
