"""The tables of the projection `customer_vehicles` as documents of an index of vehicles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, func, select, true

from projections.customer_vehicles.relational import customer, in_use, vehicle
from projections.customer_vehicles.relational_status import newest_connection
from projections.index_changes import Changed, stream
from projections.vehicle_search.document import source
from projections.vehicle_search.index import DEFINITION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Select

    from projections.index_changes import Document

_AT_ONCE = 5_000
"""So many rows are in memory at a time."""

_NAMES = "vin registration_number grid_cell last_heartbeat_at"
_COLUMNS = [
    *(vehicle.c[name] for name in _NAMES.split()),
    # As text: the driver takes a quarter of all the time to make objects of them.
    *(cast(vehicle.c[name], Text).label(name) for name in ("vehicle_id", "customer_id", "labels")),
    in_use.label("in_use"),
    func.coalesce(customer.c.folded_name, "").label("customer_folded"),
    func.coalesce(vehicle.c.disconnect_after_s, customer.c.disconnect_after_s).label("limit_s"),
    newest_connection.c.connected_until,
    vehicle.c.changed_position,
]


class VehicleTables:
    """The vehicles of a projection, each with what of its customer and connection is searched."""

    definition = DEFINITION

    def __init__(self, projection: str) -> None:
        self.projection = projection

    def changed(self, connection: Connection, after: int, most: int) -> Iterator[Changed]:
        """The vehicles that changed after a position by themselves."""
        position = vehicle.c.changed_position
        those = (
            select(vehicle.c.vehicle_id, position)
            .where(position > after)
            .order_by(position)
            .fetch(most, with_ties=True)
            .subquery()
        )
        found = documents().join(those, vehicle.c.vehicle_id == those.c.vehicle_id)
        in_order = found.order_by(those.c.changed_position)
        for row in stream(connection, in_order, _AT_ONCE):
            yield Changed(row.changed_position, (row.vehicle_id, source(row)))

    def also(self, connection: Connection, after: int, until: int) -> Iterator[Document]:
        """The vehicles of customers that changed since: not those that come by themselves."""
        since = customer.c.changed_position.between(after + 1, until)
        theirs = documents().where(since, in_use, vehicle.c.changed_position <= after)
        for row in stream(connection, theirs, _AT_ONCE):
            yield row.vehicle_id, source(row)


def documents() -> Select[Any]:
    """The rows that documents are made of."""
    return (
        select(*_COLUMNS)
        .outerjoin_from(vehicle, customer, vehicle.c.customer_id == customer.c.customer_id)
        .outerjoin(newest_connection, true())
    )
