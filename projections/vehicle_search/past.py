"""Finding vehicles as they were at an instant: the same search, over the tables as they were then.

What has not changed since is as it is in the read model; the rest is folded anew out of the log.
The tables are temporary, and are called as the real ones are, so that nothing else differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import MetaData, and_, func, insert, not_, select, text, true

from projections.customer_vehicles.model import CustomerDocument, VehicleDocument
from projections.customer_vehicles.relational import customer, vehicle
from projections.customer_vehicles.then import (
    customer_then,
    is_heard_after,
    is_placed_after,
    vehicle_then,
)
from projections.database import position_of
from projections.json_rows import as_json
from projections.vehicle_search.relational import RelationalVehicleSearch
from vehicle_tracker.history import History

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from msgspec import Struct
    from sqlalchemy import ColumnElement, Connection, Engine, Table

    from projections.vehicle_search.model import VehiclePage, VehicleQuery
    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
    from vehicle_tracker.event_log import EventLog

_AT_ONCE = 10_000
"""So many documents are written in one statement: some megabytes, in less than a second."""

_read_customer = msgspec.json.Decoder(CustomerDocument).decode
_read_vehicle = msgspec.json.Decoder(VehicleDocument).decode


class PastVehicleSearch:
    """Searches the past. Errors: `too_much_to_read`, `invalid_cursor`, and what the log raises."""

    def __init__(
        self, engine: Engine, log: EventLog, projection: str, disconnect_after_s: int
    ) -> None:
        self._engine = engine
        self._log = log
        self._history = History(log.rows)
        self._position = select(position_of(projection))
        self._search = RelationalVehicleSearch(engine, projection, disconnect_after_s)

    def search(self, query: VehicleQuery, at: datetime) -> VehiclePage:
        """A page of the vehicles in use at `at`, with their customers, all as they were then.

        What is known today of that instant counts, whenever it came. The limit of those that have
        none of their own or their customer's is that of today.
        """
        with self._engine.connect() as connection:
            position = connection.execute(self._position).scalar_one()
            self._customers_then(connection, at)
            self._vehicles_then(connection, at, position)
            page = self._search.search_in(connection, query, at)
            connection.rollback()  # and the tables are gone
        return self._with_connections(page)

    def _customers_then(self, connection: Connection, at: datetime) -> None:
        unchanged = customer.c.version == 1
        known = customer.c.registered_at <= at
        changed = [_read_customer(one) for one in _copy(connection, customer, known, unchanged)]
        events = self._log.streams([one.customer_id for one in changed])
        then = (customer_then(events[one.customer_id], at) for one in changed)
        _fill(connection, customer, [one for one in then if one])

    def _vehicles_then(self, connection: Connection, at: datetime, position: int) -> None:
        not_heard = func.coalesce(vehicle.c.last_heartbeat_at <= at, true())
        unchanged = and_(vehicle.c.version == 1, not_heard)
        known = vehicle.c.registered_at <= at
        changed = [_read_vehicle(one) for one in _copy(connection, vehicle, known, unchanged)]
        events = self._log.streams([one.vehicle_id for one in changed if one.version > 1])
        newest, places = self._said(changed, at, position)
        then = [
            vehicle_then(
                one,
                at,
                events.get(one.vehicle_id, ()),
                [said[one.vin] for said in (newest, places) if one.vin in said],
            )
            for one in changed
        ]
        _fill(connection, vehicle, then)

    def _said(
        self, vehicles: Sequence[VehicleDocument], at: datetime, position: int
    ) -> tuple[dict[str, HeartbeatRecorded], dict[str, HeartbeatRecorded]]:
        """What those said last by `at` that were heard since, and where they said they were."""
        heard = [one for one in vehicles if is_heard_after(one, at)]
        newest = self._history.newest_heartbeats((one.vin for one in heard), at, position)
        elsewhere = (one.vin for one in heard if is_placed_after(one, at))
        nowhere = [
            vin for vin in elsewhere if vin in newest and newest[vin].heartbeat.latitude is None
        ]
        return newest, self._history.newest_places(nowhere, at, position)

    def _with_connections(self, page: VehiclePage) -> VehiclePage:
        """The vehicles beside the connection that their newest heartbeat of then is in."""
        heard = {
            view.vehicle.vin: view.vehicle.last_heartbeat_at
            for view in page.items
            if view.vehicle.last_heartbeat_at
        }
        since = self._history.connected_since(heard) if heard else {}
        views = [
            view._replace(connected_since=since.get(view.vehicle.vin), connected_until=None)
            for view in page.items
        ]
        return replace(page, items=views)


def _copy(
    connection: Connection, table: Table, known: ColumnElement[bool], unchanged: ColumnElement[bool]
) -> list[str]:
    """Begin a table beside this one with what is unchanged; answers the other known documents."""
    connection.execute(text(f"CREATE TEMPORARY TABLE {table.name}_then (LIKE {table.name})"))
    then = table.to_metadata(MetaData(), name=f"{table.name}_then")
    rows = select(table).where(known, unchanged)
    connection.execute(insert(then).from_select(table.columns.keys(), rows))
    changed = select(as_json(table)).where(known, not_(unchanged))
    return list(connection.execute(changed).scalars())


def _fill(connection: Connection, table: Table, documents: Sequence[Struct]) -> None:
    """Complete it with these documents, and let it take the table's name for this transaction."""
    name, columns = table.name, ", ".join(table.columns.keys())
    rows = f"json_populate_recordset(null::{name}_then, CAST(:documents AS json))"
    statement = text(f"INSERT INTO {name}_then ({columns}) SELECT {columns} FROM {rows}")  # noqa: S608
    for begin in range(0, len(documents), _AT_ONCE):
        some = documents[begin : begin + _AT_ONCE]
        connection.execute(statement, {"documents": msgspec.json.encode(some).decode()})
    connection.execute(text(f"ALTER TABLE {name}_then RENAME TO {name}"))
    connection.execute(text(f"ANALYZE pg_temp.{name}"))
