"""A relational read model built in a schema of its own, whose tables then change places.

The same statements work there, because names are looked up along the `search_path`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, delete, inspect, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import CreateIndex, CreateSchema, DropSchema

from projections.database import FOR_READERS, configuration, db, parked_event, projection
from vehicle_tracker.resilience import after_a_lock_was_busy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection, Engine, Table

    from projections.store import Store
    from vehicle_tracker.settings import Settings

LONGEST_FREEZE = "300ms"
"""So long the swap waits for searches under way, while new ones wait for it; then it steps back."""


class RelationalBeside:
    """The tables of a projection, built in the schema `rebuild_NAME`."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        settings: Settings,
        *,
        tables: Sequence[Table],
        make_store: Callable[[str, Engine], Store[Any, Any]],
    ) -> None:
        self._name = name
        self._schema = f"rebuild_{name}"
        self._tables = tables
        self._indexed_last = [
            index for table in tables for index in table.indexes if index.info == FOR_READERS
        ]
        self._live = engine.execution_options(isolation_level="READ COMMITTED")
        beside: dict[str, Any] = configuration(settings, f"search_path={self._schema},public")
        options = beside["SQLALCHEMY_ENGINE_OPTIONS"]
        self._beside = create_engine(beside["SQLALCHEMY_DATABASE_URI"], **options)
        self._create()
        self.store = make_store(name, self._beside)

    def _create(self) -> None:
        with self._live.begin() as connection:
            connection.execute(CreateSchema(self._schema, if_not_exists=True))
            there = set(inspect(connection).get_table_names(self._schema))
        missing = [
            table for table in (*self._tables, projection, parked_event) if table.name not in there
        ]
        db.metadata.create_all(self._beside, tables=missing, checkfirst=False)
        with self._beside.begin() as connection:
            for index in self._indexed_last:
                if index.table in missing:
                    connection.execute(text(f"DROP INDEX {self._schema}.{index.name}"))

    def settled(self) -> None:
        """Make the rest of the indexes, and let the planner know: the first search needs both."""
        with self._beside.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for index in self._indexed_last:
                connection.execute(CreateIndex(index, if_not_exists=True))
            for table in self._tables:
                connection.execute(text(f"ANALYZE {self._schema}.{table.name}"))

    @contextmanager
    def live_position_held(self) -> Iterator[int]:
        """Hold the live position's row, which whoever follows must have to store; then swap."""
        held = (
            select(projection.c.position).where(projection.c.name == self._name).with_for_update()
        )
        with self._live.begin() as connection:
            yield connection.execute(held).scalar() or 0
            self._take_the_place(connection)
        self._beside.dispose()

    def _take_the_place(self, connection: Connection) -> None:
        self._lock(connection)
        for table in self._tables:
            connection.execute(text(f"DROP TABLE public.{table.name}"))
            connection.execute(text(f"ALTER TABLE {self._schema}.{table.name} SET SCHEMA public"))
        with self._beside.connect() as there:
            position = there.execute(
                select(projection.c.position, projection.c.updated_at).where(
                    projection.c.name == self._name
                )
            ).one_or_none()
            parked = [row._asdict() for row in there.execute(select(parked_event))]
        connection.execute(delete(parked_event).where(parked_event.c.projection == self._name))
        if parked:
            connection.execute(insert(parked_event), parked)
        if position:
            here = update(projection).where(projection.c.name == self._name)
            values = {**position._asdict(), "generation": projection.c.generation + 1}
            if not connection.execute(here.values(values)).rowcount:
                row = {**position._asdict(), "name": self._name}
                connection.execute(insert(projection).values(row))
        connection.execute(DropSchema(self._schema, cascade=True))

    @after_a_lock_was_busy
    def _lock(self, connection: Connection) -> None:
        """Wait for the searches under way, but never for long: who comes later waits for us."""
        names = ", ".join(f"public.{table.name}" for table in self._tables)
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_FREEZE}'"))
            connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
