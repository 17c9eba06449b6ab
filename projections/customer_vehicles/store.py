"""How a page of events is stored: what was decided as documents, what vehicles said merged in.

Documents travel as JSON in both directions: msgspec writes and reads a thousand of them in some
milliseconds, and PostgreSQL takes them apart in one statement a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import BigInteger, Table, Text, Uuid, bindparam, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from projections.customer_vehicles.connections import ConnectionsDocument
from projections.customer_vehicles.fold import Key
from projections.customer_vehicles.model import CustomerDocument, Document, VehicleDocument
from projections.customer_vehicles.relational import connections, customer, vehicle
from projections.customer_vehicles.relational_said import SAID, merge
from projections.customer_vehicles.said import Said
from projections.json_rows import as_json, upsert, write_rows
from projections.store import RelationalStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from projections.store import Change

_TABLES: dict[type[Document], Table] = {
    CustomerDocument: customer,
    VehicleDocument: vehicle,
    ConnectionsDocument: connections,
}

_POSITION = bindparam("position", type_=BigInteger)
_UPSERTS = {
    kind: upsert(table, keep=SAID, changed_position=_POSITION) for kind, table in _TABLES.items()
}
_TOUCH = (
    update(vehicle)
    .values(changed_position=_POSITION)
    .where(vehicle.c.vehicle_id == func.any(cast(bindparam("ids", type_=Text), ARRAY(Uuid))))
)
"""Vehicles of which it was judged whether they are connected: they are searched by that."""


class CustomerVehiclesStore(RelationalStore[Key, Document]):
    """Where the follower keeps customers, vehicles and their connections."""

    def select(self, connection: Connection, keys: Iterable[Key]) -> Iterable[tuple[Key, Document]]:
        """Those of the documents that exist, but what vehicles said: one SELECT a table."""
        ids: dict[type[Document], list[str]] = {}
        for kind, id_ in keys:
            ids.setdefault(kind, []).append(id_)
        for kind, table in _TABLES.items():
            if kind in ids:
                (primary_key,) = table.primary_key
                # As one text: as many parameters would take longer to parse than to look up.
                wanted = cast(literal(_array(ids[kind]), Text), ARRAY(Uuid))
                found = select(cast(primary_key, Text), as_json(table)).where(
                    primary_key == func.any(wanted)
                )
                decode = msgspec.json.Decoder(kind).decode
                for id_, document in connection.execute(found).all():
                    yield Key(kind, id_), decode(document)

    def write(self, connection: Connection, changes: Mapping[Key, Change], position: int) -> None:
        """Write documents whole, but of vehicles only what was decided; merge what they said."""
        documents: dict[type[Document], list[Any]] = {}
        for key, change in changes.items():
            documents.setdefault(key.kind, []).append(change.after)
        for kind, statement in _UPSERTS.items():
            write_rows(connection, statement, documents.get(kind, []), position=position)
        if said := documents.get(Said):
            merge(connection, said, position)
        if judged := [key.id for key in changes if key.kind is ConnectionsDocument]:
            connection.execute(_TOUCH, {"ids": _array(judged), "position": position})


def _array(ids: Iterable[str]) -> str:
    return f"{{{','.join(ids)}}}"
