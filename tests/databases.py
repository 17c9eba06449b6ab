"""Databases that are gone after whoever needed them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def fresh_database(postgresql_url: str, template: str = "template1") -> Iterator[str]:
    """The address of a new database on a server, empty or like a template; dropped in the end."""
    name = f"test_{uuid4().hex}"
    host = conninfo_to_dict(postgresql_url)["host"]
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield f"postgresql://postgres:@/{name}?host={host}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
