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
    cast,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, insert

from projections.customer_vehicles.connections import ConnectionsDocument
from projections.customer_vehicles.fold import Key
from projections.customer_vehicles.model import (
    CustomerDocument,
    Document,
    NewestHeartbeat,
    VehicleDocument,
)
from projections.database import db
from projections.store import RelationalStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from msgspec import Struct
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
    # No index has a column that heartbeats change, and a third of each page is left free: so an
    # update touches one page and no index (HOT).
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

    def write(self, connection: Connection, changes: Mapping[Key, Change]) -> None:
        """Write documents whole, but of most vehicles only what heartbeats changed."""
        for kind, statement in _UPSERTS.items():
            whole = [
                after
                for key, (before, after) in changes.items()
                if key.kind is kind and not _only_heartbeats(before, after)
            ]
            _execute(connection, statement, whole)
        newest = [
            msgspec.convert(after, NewestHeartbeat, from_attributes=True)
            for before, after in changes.values()
            if _only_heartbeats(before, after)
        ]
        _execute(connection, _UPDATE_HEARTBEATS, newest)


def _only_heartbeats(before: Document | None, after: Document) -> bool:
    return (
        isinstance(before, VehicleDocument)
        and isinstance(after, VehicleDocument)
        and before.version == after.version
    )


def _execute(connection: Connection, statement: Any, documents: Sequence[Struct]) -> None:
    if documents:
        connection.execute(statement, {"documents": msgspec.json.encode(documents).decode()})


def as_json(table: Table) -> Any:
    """A row as the JSON of its document."""
    return cast(func.row_to_json(table.table_valued()), Text)


def _rows_of_documents(table: Table) -> Any:
    """The rows of the parameter `documents`, a list in JSON; what a document lacks is null."""
    return func.json_populate_recordset(
        literal_column(f"null::{table.name}"), cast(bindparam("documents", type_=Text), JSON)
    ).table_valued(*table.columns.keys(), name="document")


def _upsert(table: Table) -> Any:
    names = table.columns.keys()
    rows = _rows_of_documents(table)
    statement = insert(table).from_select(names, select(*[rows.c[name] for name in names]))
    return statement.on_conflict_do_update(
        constraint=table.primary_key,
        set_={name: statement.excluded[name] for name in names},
    )


def _update_heartbeats() -> Any:
    rows = _rows_of_documents(vehicle)
    said = {name: rows.c[name] for name in NewestHeartbeat.__struct_fields__}
    return update(vehicle).values(said).where(vehicle.c.vehicle_id == rows.c.vehicle_id)


_UPSERTS = {kind: _upsert(table) for kind, table in _TABLES.items()}
_UPDATE_HEARTBEATS = _update_heartbeats()
