"""Whether the database of the read models has the schema that this release needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError, InterfaceError

from vehicle_tracker.starting import once_it_answers

if TYPE_CHECKING:
    from sqlalchemy import Engine

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class NotMigratedError(RuntimeError):
    """The database does not have the schema of this release yet."""


def expect_migrated(engine: Engine) -> None:
    """Return if the database has the schema of this release, or of a later one.

    A migration leaves what the release before it needs, so that the two may run at once and the
    later one can be rolled back. Errors: `NotMigratedError`, which names both.
    """
    expected, actual = revisions()[-1], _revision(engine)
    if actual != expected and not is_of_a_later_release(actual):
        raise NotMigratedError(f"the database is at migration {actual}, this release at {expected}")


def is_of_a_later_release(revision: str | None) -> bool:
    """Whether a database is at a migration that this release has never heard of."""
    return revision is not None and revision not in revisions()


def revisions() -> list[str]:
    """The migrations of this release in their order, by the names of their files.

    To ask Alembic takes a fifth of a second of each process's start.
    """
    files = (MIGRATIONS / "versions").glob("*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def await_migrated(engine: Engine, within_s: float) -> None:
    """Return once the database is migrated; `cannot_start` if it is not in time."""
    # psycopg2 says no more than DatabaseError of a connection that PostgreSQL breaks off.
    away = (NotMigratedError, DatabaseError, InterfaceError)
    once_it_answers(lambda: expect_migrated(engine), away, within_s)
