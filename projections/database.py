"""The database of the read models: its address, and how far each projection is."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    ScalarSelect,
    Text,
    Uuid,
    event,
    exc,
    func,
    make_url,
    select,
)
from sqlalchemy.pool import Pool

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

    from vehicle_tracker.settings import Settings

db = SQLAlchemy(
    metadata=MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
        }
    )
)

projection = db.Table(
    "projection",
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),
)
"""How far each projection is: stored together with the documents, or not at all.

`generation` counts how often the documents were changed by another than who follows."""

parked_event = db.Table(
    "parked_event",
    Column("projection", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
    Column("parked_at", DateTime(timezone=True), nullable=False),
)
"""Events that a projection could not fold, whole, with the reason."""

FOR_READERS = {"for": "readers"}
"""The `info` of an index that no store needs: a rebuild makes it when the rows are there."""

_SURE_FOR_S = 1.0
"""A connection that was used so lately is taken for one that still is."""

_USED_AT = "used_at"

_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
_UNDEFINED_TABLE = "42P01"
_CANCELED = "57014"
_DATA_IS_WRONG = ("22", "23", "54")
"""SQLSTATE classes: data exception, integrity constraint, program limit (an index row too big)."""


def configuration(settings: Settings, *options: str) -> dict[str, object]:
    """Flask's configuration for `db`, with PostgreSQL's settings for its sessions.

    JIT compiling costs more than it saves in statements of some milliseconds. A driver that knew
    of the isolation would set it again after each `Prepared` statement.
    """
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg2")
    own = ("timezone=UTC", "jit=off", r"default_transaction_isolation=repeatable\ read")
    return {
        "SQLALCHEMY_DATABASE_URI": url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_timeout": 2,
            "connect_args": {
                "connect_timeout": 2,
                "options": " ".join(f"-c {o}" for o in (*own, *options)),
            },
        },
    }


@event.listens_for(Pool, "checkin")
def _given_back(_: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED_AT] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _taken(connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:
    """See whether a connection that nobody used lately is still one: that is a round trip."""
    if time.monotonic() - entry.info.get(_USED_AT, inf) <= _SURE_FOR_S:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except connection.Error as error:
        raise exc.InvalidatePoolError from error


def position_of(name: str) -> ScalarSelect[int]:
    """A projection's position, to be read in the same statement as its documents."""
    found = select(projection.c.position).where(projection.c.name == name).scalar_subquery()
    return select(func.coalesce(found, 0)).scalar_subquery()


def is_unreachable(error: BaseException) -> bool:
    """True if the database is away, overloaded or not migrated yet: the same may work later."""
    return _sqlstate(error) == _UNDEFINED_TABLE or (
        isinstance(error, _AWAY) and not is_unstorable(error)
    )


def took_too_long(error: BaseException) -> bool:
    """True if the database gave a statement up, which was allowed less time than it takes."""
    return _sqlstate(error) == _CANCELED


def is_unstorable(error: BaseException) -> bool:
    """True if the database will never take these values, however often it is asked.

    A `ValueError` is the driver's: half a surrogate pair, a NUL.
    """
    return isinstance(error, ValueError) or _sqlstate(error)[:2] in _DATA_IS_WRONG


def _sqlstate(error: BaseException) -> str:
    if not isinstance(error, exc.DBAPIError):
        return ""
    return str(getattr(error.orig, "pgcode", None) or "")
