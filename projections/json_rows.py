"""Rows that travel as JSON, in both directions.

msgspec writes and reads a thousand of them in some milliseconds, and PostgreSQL takes them apart in
one statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Table, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSON, insert

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from msgspec import Struct
    from sqlalchemy import ColumnElement, Connection


def write_rows(
    connection: Connection, statement: Any, documents: Sequence[Struct], **given: Any
) -> None:
    """Execute a statement that takes these documents as its rows; nothing if there are none.

    `given` are the statement's other parameters.
    """
    if documents:
        rows = msgspec.json.encode(documents).decode()
        connection.execute(statement, {"documents": rows, **given})


def as_json(table: Table) -> Any:
    """A row as the JSON of its document."""
    return cast(func.row_to_json(table.table_valued()), Text)


def as_list(item: ColumnElement[Any]) -> ColumnElement[str]:
    """One of each row, as the text of a list in JSON."""
    return cast(func.coalesce(func.json_agg(item), literal_column("'[]'")), Text)


def rows_of_documents(table: Table) -> Any:
    """The rows of the parameter `documents`, a list in JSON; what a document lacks is null."""
    return func.json_populate_recordset(
        literal_column(f"null::{table.name}"), cast(bindparam("documents", type_=Text), JSON)
    ).table_valued(*table.columns.keys(), name="document")


def insert_rows(table: Table, **given: Any) -> Any:
    """The statement that writes documents whole. `given` are columns that are in no document."""
    names = table.columns.keys()
    rows = rows_of_documents(table)
    values = [given[name].label(name) if name in given else rows.c[name] for name in names]
    return insert(table).from_select(names, select(*values))


def upsert(table: Table, *, keep: Collection[str] = (), **given: Any) -> Any:
    """The same, in the place of those that are there, but for the columns that these `keep`."""
    statement = insert_rows(table, **given)
    written = [name for name in table.columns.keys() if name not in keep]  # noqa: SIM118
    return statement.on_conflict_do_update(
        constraint=table.primary_key,
        set_={name: statement.excluded[name] for name in written},
    )
