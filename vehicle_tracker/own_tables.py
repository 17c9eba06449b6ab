"""Tables of ours in the log's database that the library does not know of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    import psycopg


def create_once(connection: psycopg.Connection[Any], create: LiteralString) -> None:
    """Execute what makes a table, or a column, if there is none. Processes take turns."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [create])
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute(create)
