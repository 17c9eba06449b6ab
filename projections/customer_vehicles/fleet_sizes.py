"""How many vehicles in use each customer has: kept with every step that changes it.

To count a million vehicles by customer for each dashboard that opens would cost the most of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, func, insert, select

from projections.customer_vehicles.relational import fleet_size, in_use, vehicle
from projections.json_rows import insert_rows, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from projections.customer_vehicles.model import VehicleDocument
    from projections.store import Change


class FleetSize(Struct, frozen=True, gc=False):
    """How many vehicles in use a customer has, or has more than before."""

    customer_id: UUID
    vehicles: int


_COUNTED = select(vehicle.c.customer_id, func.count()).where(in_use).group_by(vehicle.c.customer_id)
_COUNT = insert(fleet_size).from_select(fleet_size.columns.keys(), _COUNTED)

_more = insert_rows(fleet_size)
_ADD = _more.on_conflict_do_update(
    constraint=fleet_size.primary_key,
    set_={"vehicles": fleet_size.c.vehicles + _more.excluded.vehicles},
)
_DROP_EMPTY = delete(fleet_size).where(fleet_size.c.vehicles == 0)


def count_anew(connection: Connection) -> None:
    """Count the vehicles there are: some 0.2 s for a million."""
    connection.execute(delete(fleet_size))
    connection.execute(_COUNT)


def add(connection: Connection, changes: Iterable[Change]) -> None:
    """Add what these changes of vehicles make more or less."""
    more: Counter[UUID] = Counter()
    for before, after in changes:
        more.update(_of(after))
        more.subtract(_of(before))
    if changed := [FleetSize(*one) for one in more.items() if one[1]]:
        write_rows(connection, _ADD, changed)
        connection.execute(_DROP_EMPTY)


def sizes_of(vehicles: Iterable[VehicleDocument]) -> dict[UUID, int]:
    """How many of these each customer has in use."""
    return dict(Counter(id_ for one in vehicles for id_ in _of(one)))


def _of(document: VehicleDocument | None) -> list[UUID]:
    """Whose vehicle it is, if it is in use."""
    owner = document.customer_id if document and document.is_in_use else None
    return [owner] if owner else []
