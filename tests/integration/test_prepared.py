"""A statement is planned once a connection, and answers of the tables as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Integer, Text, bindparam, func, insert, literal, select, text
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from projections.customer_vehicles.relational import fleet_size
from projections.database import is_unreachable, is_unstorable
from projections.prepared import Prepared

if TYPE_CHECKING:
    from sqlalchemy import Engine

_COUNT = Prepared("how many", select(func.count()).select_from(fleet_size))


def _grow(engine: Engine, name: str = "fleet_size") -> None:
    table = fleet_size.to_metadata(type(fleet_size.metadata)(), name=name)
    with engine.begin() as connection:
        connection.execute(insert(table), {"customer_id": uuid4(), "vehicles": 1})


def test_it_is_prepared_once_a_connection(engine: Engine) -> None:
    """The second time it is only executed; another connection prepares its own."""
    assert [_COUNT.row(engine)[0] for _ in range(2)] == [0, 0]
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE name = 'how many'")
    with engine.connect() as one, engine.connect() as other:
        assert sorted(c.execute(prepared).scalar_one() for c in (one, other)) == [0, 1]


def test_parameters_and_what_it_has_of_its_own(engine: Engine) -> None:
    """What is given takes its place by name, what was there before stays, quotes and all."""
    said = func.concat(bindparam("greeting", type_=Text), literal("; 100 %"), literal("'s"))
    greeting = Prepared("greeting", select(said))
    assert greeting.row(engine, greeting="O'Hara $1 %s")[0] == "O'Hara $1 %s; 100 %'s"
    assert greeting.row(engine, greeting="")[0] == "; 100 %'s"


def test_a_table_that_took_anothers_place(engine: Engine) -> None:
    """A rebuild swaps tables under readers: the next answer is of the new one."""
    _grow(engine)
    assert _COUNT.row(engine)[0] == 1
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE beside (LIKE fleet_size INCLUDING ALL)"))
    _grow(engine, "beside")
    _grow(engine, "beside")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE fleet_size"))
        connection.execute(text("ALTER TABLE beside RENAME TO fleet_size"))
    assert _COUNT.row(engine)[0] == 2


def test_a_connection_that_was_ended(engine: Engine, database_url: str) -> None:
    """Whoever finds it so is told as of any statement; the next one gets a new connection."""
    _COUNT.row(engine)
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(OperationalError) as told:
        _COUNT.row(engine)
    assert is_unreachable(told.value)
    assert _COUNT.row(engine)[0] == 0


def test_what_postgresql_refuses(engine: Engine) -> None:
    """It is SQLAlchemy's error, with PostgreSQL's code; the connection answers on."""
    rest = Prepared("rest", select(literal(1) % bindparam("by", type_=Integer)))
    with pytest.raises(DataError) as told:
        rest.row(engine, by=0)
    assert is_unstorable(told.value)
    assert rest.row(engine, by=2)[0] == 1


def test_two_of_one_name(engine: Engine) -> None:
    """The second is refused: it would be answered what the first asks."""
    _COUNT.row(engine)
    with pytest.raises(ProgrammingError, match="already exists"):
        Prepared("how many", select(literal(1))).row(engine)
