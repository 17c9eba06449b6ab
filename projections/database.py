"""The database of the read models: its address, and how far each projection is."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    exc,
    func,
    make_url,
    select,
)

if TYPE_CHECKING:
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

_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
_UNDEFINED_TABLE = "42P01"
_CANCELED = "57014"
_DATA_IS_WRONG = ("22", "23", "54")
"""SQLSTATE classes: data exception, integrity constraint, program limit (an index row too big)."""


def configuration(settings: Settings, *options: str) -> dict[str, object]:
    """Flask's configuration for `db`, with PostgreSQL's settings for its sessions.

    JIT compiling costs more than it saves in statements of some milliseconds.
    """
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg2")
    return {
        "SQLALCHEMY_DATABASE_URI": url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "isolation_level": "REPEATABLE READ",
            "pool_pre_ping": True,
            "pool_timeout": 2,
            "connect_args": {
                "connect_timeout": 2,
                "options": " ".join(f"-c {o}" for o in ("timezone=UTC", "jit=off", *options)),
            },
        },
    }


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
