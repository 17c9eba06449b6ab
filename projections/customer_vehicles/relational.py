"""Customers and their vehicles in PostgreSQL: the tables, and how a page of events is stored.

Documents travel as JSON in both directions: msgspec writes and reads a thousand of them in some
milliseconds, and PostgreSQL takes them apart in one statement a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from projections.customer_vehicles.connections import ConnectionsDocument
from projections.customer_vehicles.fold import Key
from projections.customer_vehicles.model import (
    CustomerDocument,
    Document,
    NewestHeartbeat,
    VehicleDocument,
)
from projections.database import db
from projections.json_rows import as_json, rows_of_documents, upsert, write_rows
from projections.store import RelationalStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from projections.store import Change

_INSTANT = DateTime(timezone=True)

customer = db.Table(
    "customer",
    Column("customer_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("folded_name", Text(collation="C"), nullable=False),
    Column("registered_at", _INSTANT, nullable=False),
    Column("disconnect_after_s", Integer),
    Column("trip_rules", JSON),
    Column("changed_position", BigInteger, nullable=False, index=True),
    Index("customer_folded_name_idx", "folded_name", "customer_id"),
)

vehicle = db.Table(
    "vehicle",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("vin", Text(collation="C"), nullable=False, unique=True),
    Column("version", BigInteger, nullable=False),
    Column("registration_number", Text(collation="C")),
    Column("customer_id", Uuid),
    Column("labels", JSONB),
    Column("search_text", Text, nullable=False),
    Column("registered_at", _INSTANT),
    Column("decommissioned_at", _INSTANT),
    Column("disconnect_after_s", Integer),
    Column("last_heartbeat_at", _INSTANT),
    Column("speed_kmh", Double),
    Column("heading_deg", Double),
    Column("altitude_m", Double),
    Column("accuracy_m", Double),
    Column("odometer_km", Double),
    Column("fuel_level", Double),
    Column("battery_level", Double),
    Column("ignition", Boolean),
    # Only shown, never asked for, so kept as it was said.
    Column("attributes", JSON),
    Column("position_recorded_at", _INSTANT),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("cell", Integer),
    # When what is searched of it changed last: not by heartbeats in the cell where it was.
    Column("changed_position", BigInteger, nullable=False, index=True),
    # So they change no column of an index, and a third of each page is left free: an update
    # touches one page and no index (HOT).
    postgresql_with={"fillfactor": "65"},
)
in_use = and_(vehicle.c.registered_at.is_not(None), vehicle.c.decommissioned_at.is_(None))
"""What is shown: registered, and not decommissioned since."""

Index(
    "vehicle_registration_number_idx",
    vehicle.c.registration_number,
    vehicle.c.vin,
    postgresql_where=in_use,
)
Index("vehicle_customer_id_idx", vehicle.c.customer_id, postgresql_where=in_use)

limited = customer.c.disconnect_after_s.is_not(None)
"""The few customers that have a limit of their own."""

Index("customer_limited_idx", customer.c.customer_id, postgresql_where=limited)

# Beside the vehicles, not in them: searches walk over those, and they are changed all the time.
connections = db.Table(
    "connections",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("connected_since", _INSTANT),
    Column("connected_until", _INSTANT),
    Column("judged", JSON, nullable=False),
    Column("mended", JSON, nullable=False),
    Column("forgotten", _INSTANT),
)

_TABLES: dict[type[Document], Table] = {
    CustomerDocument: customer,
    VehicleDocument: vehicle,
    ConnectionsDocument: connections,
}
TABLES = tuple(_TABLES.values())
"""All that this read model is kept in."""


class CustomerVehiclesStore(RelationalStore[Key, Document]):
    """Where the follower keeps customers, vehicles and their connections."""

    def select(self, connection: Connection, keys: Iterable[Key]) -> Iterable[tuple[Key, Document]]:
        """Those of the documents that exist: one SELECT a table."""
        for kind, table in _TABLES.items():
            ids = ",".join(key.id for key in keys if key.kind is kind)
            if ids:
                (primary_key,) = table.primary_key
                # As one text: as many parameters would take longer to parse than to look up.
                wanted = cast(literal(f"{{{ids}}}", Text), ARRAY(Uuid))
                found = select(cast(primary_key, Text), as_json(table)).where(
                    primary_key == func.any(wanted)
                )
                decode = msgspec.json.Decoder(kind).decode
                for id_, document in connection.execute(found).all():
                    yield Key(kind, id_), decode(document)

    def write(self, connection: Connection, changes: Mapping[Key, Change], position: int) -> None:
        """Write documents whole, but of most vehicles only what heartbeats changed."""
        for kind, statement in _UPSERTS.items():
            whole = [
                after
                for key, (before, after) in changes.items()
                if key.kind is kind and not _only_heartbeats(before, after)
            ]
            write_rows(connection, statement, whole, position=position)
        newest = [
            msgspec.convert(after, NewestHeartbeat, from_attributes=True)
            for before, after in changes.values()
            if _only_heartbeats(before, after)
        ]
        write_rows(connection, _UPDATE_HEARTBEATS, newest, position=position)
        if judged := [key.id for key in changes if key.kind is ConnectionsDocument]:
            connection.execute(_TOUCH, {"ids": f"{{{','.join(judged)}}}", "position": position})


def _only_heartbeats(before: Document | None, after: Document) -> bool:
    return (
        isinstance(before, VehicleDocument)
        and isinstance(after, VehicleDocument)
        and before.version == after.version
    )


def _update_heartbeats() -> Any:
    rows = rows_of_documents(vehicle)
    said = {name: rows.c[name] for name in NewestHeartbeat.__struct_fields__}
    is_new = vehicle.c.last_heartbeat_at.is_(None) | vehicle.c.cell.is_distinct_from(rows.c.cell)
    said["changed_position"] = case((is_new, _POSITION), else_=vehicle.c.changed_position)
    return update(vehicle).values(said).where(vehicle.c.vehicle_id == rows.c.vehicle_id)


_POSITION = bindparam("position", type_=BigInteger)
_UPSERTS = {kind: upsert(table, changed_position=_POSITION) for kind, table in _TABLES.items()}
_UPDATE_HEARTBEATS = _update_heartbeats()
_TOUCH = (
    update(vehicle)
    .values(changed_position=_POSITION)
    .where(vehicle.c.vehicle_id == func.any(cast(bindparam("ids", type_=Text), ARRAY(Uuid))))
)
"""Vehicles of which it was judged whether they are connected: they are searched by that."""
