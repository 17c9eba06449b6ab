"""Statements that come with each search: made once, and planned once a connection.

To plan one takes PostgreSQL about as long as to answer it, and what SQLAlchemy does around a
statement takes longer than the driver does for it.
"""

from __future__ import annotations

from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import Engine, PoolProxiedConnection, Select

_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

_Row = tuple[Any, ...]


class _Made(NamedTuple):
    """What is sent once a connection, what is sent each time, and the parameters it has itself."""

    prepare: str
    execute: str
    own: dict[str, Any]


class Prepared:
    """A statement that is a transaction by itself, under a name of its own.

    Its columns come as the driver reads them: what is of a type that PostgreSQL does not have is
    to be cast to a text.
    """

    def __init__(self, name: str, statement: Select[Any]) -> None:
        self._name = name
        self._statement = statement

    def rows(self, engine: Engine, **given: object) -> list[_Row]:
        """What it answers to its parameters. Errors: SQLAlchemy's, as of any statement."""
        driver = engine.dialect.loaded_dbapi
        try:
            with closing(engine.raw_connection()) as connection:
                try:
                    return self._asked(connection, given)
                except driver.Error as error:
                    if engine.dialect.is_disconnect(error, connection, None):
                        connection.invalidate(error)
                        engine.dispose()  # as SQLAlchemy does: the others are as old
                    raise
        except driver.Error as error:
            raise DBAPIError.instance(
                self._name, None, error, driver.Error, dialect=engine.dialect
            ) from error

    def row(self, engine: Engine, **given: object) -> _Row:
        """The one row that it answers."""
        (found,) = self.rows(engine, **given)
        return found

    def value(self, engine: Engine, **given: object) -> Any:
        """The one value that it answers."""
        (found,) = self.row(engine, **given)
        return found

    def _asked(self, connection: PoolProxiedConnection, given: dict[str, object]) -> list[_Row]:
        """One round trip: BEGIN and ROLLBACK make three, SQLAlchemy's own AUTOCOMMIT two."""
        prepare, execute, own = self._made
        driver: Any = connection.dbapi_connection
        driver.autocommit = True
        try:
            with closing(driver.cursor()) as cursor:
                if connection.info.get(self._name) != prepare:
                    cursor.execute(prepare)
                    connection.info[self._name] = prepare
                cursor.execute(execute, {**own, **given})
                found: list[_Row] = cursor.fetchall()
                return found
        finally:
            if not driver.closed:
                driver.autocommit = False

    @cached_property
    def _made(self) -> _Made:
        made: Any = self._statement.compile(dialect=_DIALECT)
        names = ", ".join(f"%({name})s" for name in made.positiontup)
        return _Made(
            f'PREPARE "{self._name}" AS {made}',
            f'EXECUTE "{self._name}"' + (f" ({names})" if names else ""),
            made.params,
        )
