"""How a page of events is stored: what was decided as documents, what vehicles said merged in.

Documents travel as JSON in both directions: msgspec writes and reads a thousand of them in some
milliseconds, and PostgreSQL takes them apart in one statement a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import BigInteger, Table, Text, bindparam, cast, func, select, update

from projections.customer_vehicles import fleet_sizes
from projections.customer_vehicles.connections import ConnectionsDocument
from projections.customer_vehicles.fold import Key
from projections.customer_vehicles.model import CustomerDocument, Document, VehicleDocument
from projections.customer_vehicles.relational import connections, customer, vehicle
from projections.customer_vehicles.relational_said import SAID, merge
from projections.customer_vehicles.said import Said
from projections.ids import array_of, ids
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
_SELECTS = {
    kind: select(cast(key, Text), as_json(table)).where(key == func.any(ids("these")))
    for kind, table in _TABLES.items()
    for key in table.primary_key
}
_DECODERS = {kind: msgspec.json.Decoder(kind).decode for kind in _TABLES}
_TOUCH = (
    update(vehicle)
    .values(changed_position=_POSITION)
    .where(vehicle.c.vehicle_id == func.any(ids("these")))
)
"""Vehicles that were judged connected or silent: they are searched by that."""


class CustomerVehiclesStore(RelationalStore[Key, Document]):
    """Where the follower keeps customers, vehicles and their connections."""

    def select(self, connection: Connection, keys: Iterable[Key]) -> Iterable[tuple[Key, Document]]:
        """Those of the documents that exist, but what vehicles said: one SELECT a table."""
        wanted: dict[type[Document], list[str]] = {}
        for kind, id_ in keys:
            wanted.setdefault(kind, []).append(id_)
        for kind, statement in _SELECTS.items():
            if kind in wanted:
                decode = _DECODERS[kind]
                found = connection.execute(statement, {"these": array_of(wanted[kind])})
                for id_, document in found.all():
                    yield Key(kind, id_), decode(document)

    def take_over(self, connection: Connection) -> None:
        """Count anew what a release before this one did not count."""
        fleet_sizes.count_anew(connection)

    def write(self, connection: Connection, changes: Mapping[Key, Change], position: int) -> None:
        """Write documents whole, but of vehicles only what was decided; merge what they said."""
        of_kind: dict[type[Document], list[Change]] = {}
        for key, change in changes.items():
            of_kind.setdefault(key.kind, []).append(change)
        for kind, statement in _UPSERTS.items():
            documents = [change.after for change in of_kind.get(kind, [])]
            write_rows(connection, statement, documents, position=position)
        fleet_sizes.add(connection, of_kind.get(VehicleDocument, []))
        if said := of_kind.get(Said):
            merge(connection, (change.after for change in said), position)
        if ended := [key.id for key, change in changes.items() if _is_searched(change)]:
            connection.execute(_TOUCH, {"these": array_of(ended), "position": position})


def _is_searched(change: Change) -> bool:
    """Whether it is another connection that vehicles are searched by: by its end, if it has one."""
    before, after = change
    if not isinstance(after, ConnectionsDocument):
        return False
    return before is None or before.connected_until != after.connected_until
