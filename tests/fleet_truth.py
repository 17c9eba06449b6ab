"""The rows of customers, vehicles and connections: those that are kept, and those of a fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select

from projections.customer_vehicles.connections import ConnectionsDocument
from projections.customer_vehicles.fleet_sizes import FleetSize, sizes_of
from projections.customer_vehicles.fold import Key, with_said
from projections.customer_vehicles.model import CustomerDocument, VehicleDocument
from projections.customer_vehicles.relational import connections, customer, fleet_size, vehicle
from projections.customer_vehicles.said import Said
from projections.json_rows import as_json
from vehicle_tracker.domain.values import vehicle_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine

_KINDS = {
    customer: CustomerDocument,
    vehicle: VehicleDocument,
    connections: ConnectionsDocument,
    fleet_size: FleetSize,
}


def rows_of(documents: Mapping[Any, Any]) -> dict[Any, Any]:
    """The documents of a fold as they are kept: what a vehicle said last is in its row."""
    rows = {key: one for key, one in documents.items() if key.kind is not Said}
    for said in (one for one in documents.values() if isinstance(one, Said)):
        id_ = vehicle_stream(said.newest.vin)
        key = Key(VehicleDocument, str(id_))
        known = rows.get(key) or VehicleDocument(vehicle_id=id_, vin=said.newest.vin)
        rows[key] = with_said(known, said)
    vehicles = [one for one in rows.values() if isinstance(one, VehicleDocument)]
    for id_, size in sizes_of(vehicles).items():
        rows[Key(FleetSize, str(id_))] = FleetSize(id_, size)
    return rows


def stored_rows(engine: Engine) -> dict[Any, Any]:
    """Every row there is, as a document."""
    rows = {}
    with engine.connect() as connection:
        for table, kind in _KINDS.items():
            (id_,) = table.primary_key
            for key, row in connection.execute(select(id_, as_json(table))):
                rows[Key(kind, str(key))] = msgspec.json.decode(row, type=kind)
    return rows
