"""How Alembic migrates the database of the read models: one at a time, in one transaction."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from projections.migrated import is_of_a_later_release
from vehicle_tracker.starting import once_it_answers

database = current_app.extensions["migrate"].db


def include_object(_: Any, __: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:  # noqa: FBT001 # Alembic's signature
    """Leave alone what is not ours: the event log may share the database."""
    return not (kind == "table" and reflected and compare_to is None)


# Who waited for the lock must see what was migrated in the meantime: not a snapshot from before.
wait_s = current_app.extensions["settings"].wait_for_stores_s
connected = once_it_answers(database.engine.connect, (OperationalError,), wait_s)
with connected.execution_options(isolation_level="READ COMMITTED") as connection:
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        include_object=include_object,
        compare_server_default=True,
    )
    with context.begin_transaction():
        connection.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended("migrations", 0)))
        )
        # One that is rolled back finds what the next one has migrated, and leaves it.
        if not is_of_a_later_release(context.get_context().get_current_revision()):
            context.run_migrations()
