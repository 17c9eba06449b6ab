"""Merging what vehicles said into their rows, without looking at those before.

The rows go by COPY into a table of the session's own and are merged in one statement. Ordered by
VIN, because vehicles that were registered together lie together.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Table,
    bindparam,
    case,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import CreateTable

from projections.copied_rows import copy_rows
from projections.customer_vehicles.relational import vehicle
from projections.customer_vehicles.said import MEASURED, PLACED
from vehicle_tracker.domain.values import vehicle_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from projections.customer_vehicles.said import Said

SAID = ("last_heartbeat_at", *MEASURED, *PLACED)
"""The columns of a vehicle that heartbeats change."""

_said = Table(
    "said",
    MetaData(),
    *(Column(name, vehicle.c[name].type) for name in ("vin", *SAID)),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)


def merge(connection: Connection, said: Iterable[Said], position: int) -> None:
    """Merge into the rows of their vehicles what is newer: measurements and place, each by itself.

    A vehicle that is not there yet is added as one that was never registered. `position` is where
    it changed if it is heard for the first time, or is in another cell.
    """
    rows = sorted((_row(one) for one in said), key=itemgetter(0))
    connection.execute(CreateTable(_said, if_not_exists=True))
    copy_rows(connection, _said, rows)
    merged = connection.execute(_MERGE, {"position": position}).rowcount
    if merged < len(rows):
        unknown = connection.execute(_UNKNOWN).scalars()
        connection.execute(_ADD, [_unregistered(vin, position) for vin in unknown])
        connection.execute(_MERGE, {"position": position})


def _row(said: Said) -> tuple[Any, ...]:
    *measured, attributes = said.measurements()
    text = None if attributes is None else msgspec.json.encode(attributes).decode()
    return (said.newest.vin, *measured, text, *said.place())


def _unregistered(vin: str, position: int) -> dict[str, Any]:
    return {
        "vehicle_id": vehicle_stream(vin),
        "vin": vin,
        "version": 0,
        "search_text": "",
        "changed_position": position,
    }


def _newer(name: str) -> ColumnElement[bool]:
    return or_(vehicle.c[name].is_(None), vehicle.c[name] < _said.c[name])


def _merge() -> Any:
    heard, moved = _newer("last_heartbeat_at"), _newer("position_recorded_at")
    newest: dict[str, Any] = {}
    for newer, names in ((heard, ("last_heartbeat_at", *MEASURED)), (moved, PLACED)):
        newest |= {name: case((newer, _said.c[name]), else_=vehicle.c[name]) for name in names}
    is_searched = vehicle.c.last_heartbeat_at.is_(None) | (
        moved & _said.c.grid_cell.is_distinct_from(vehicle.c.grid_cell)
    )
    position = bindparam("position", type_=BigInteger)
    changed = case((is_searched, position), else_=vehicle.c.changed_position)
    newest["changed_position"] = changed
    return update(vehicle).values(newest).where(vehicle.c.vin == _said.c.vin)


_MERGE = _merge()
_UNKNOWN = select(_said.c.vin).where(
    ~select(vehicle.c.vin).where(vehicle.c.vin == _said.c.vin).exists()
)
_ADD = insert(vehicle)
