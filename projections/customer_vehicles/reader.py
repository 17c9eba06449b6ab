"""Looking up customers and their vehicles in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from sqlalchemy import Uuid, and_, cast, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from projections.customer_vehicles.model import (
    STATUSES,
    CustomerDocument,
    CustomerPage,
    CustomerView,
    Known,
    VehicleDocument,
    VehicleView,
)
from projections.customer_vehicles.relational import (
    as_json,
    customer,
    in_use,
    vehicle,
)
from projections.customer_vehicles.relational_status import newest_connection, status_at
from projections.database import position_of
from projections.paging import decode_cursor, encode_cursor
from projections.text import folded, fragment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine

_read_customer = msgspec.json.Decoder(CustomerDocument).decode
_read_vehicle = msgspec.json.Decoder(VehicleDocument).decode


class RelationalCustomerVehicles:
    """`CustomerVehicles` on the tables of the projection `customer_vehicles`."""

    def __init__(self, engine: Engine, projection: str, disconnect_after_s: int) -> None:
        self._engine = engine
        self._position = select(position_of(projection))
        self._disconnect_after_s = disconnect_after_s

    def position(self) -> int:
        """The position of the log that answers are of."""
        with self._engine.connect() as connection:
            return self._at(connection)

    def vehicle(self, vin: str) -> tuple[VehicleView | None, int]:
        """The vehicle in use with this VIN, and the position."""
        with self._engine.connect() as connection:
            found = _vehicles(connection, vehicle.c.vin == vin)
            return (found[0] if found else None), self._at(connection)

    def vehicles_of(self, customer_name: str) -> tuple[Sequence[VehicleView], int]:
        """All vehicles of the customers whose name has this in it, by VIN, and the position."""
        name = folded(customer_name)
        named = customer.c.folded_name.like(fragment(name)) if name else true()
        with self._engine.connect() as connection:
            return _vehicles(connection, named), self._at(connection)

    def known(self, vehicle_ids: Sequence[UUID], customer_ids: Sequence[UUID]) -> Known:
        """Those of the vehicles that are in use, the customers' names, and the position."""
        wanted = vehicle.c.vehicle_id == func.any(cast(vehicle_ids, ARRAY(Uuid)))
        theirs = customer.c.customer_id == func.any(cast(customer_ids, ARRAY(Uuid)))
        names = select(customer.c.customer_id, customer.c.name).where(theirs)
        with self._engine.connect() as connection:
            views = _vehicles(connection, wanted)
            return Known(
                vehicles={view.vehicle.vehicle_id: view for view in views},
                customer_names={row[0]: row[1] for row in connection.execute(names)},
                position=self._at(connection),
            )

    def customer(self, customer_id: UUID, now: datetime) -> tuple[CustomerView | None, int]:
        """The customer with this id, and the position."""
        with self._engine.connect() as connection:
            found = self._views(connection, customer.c.customer_id == customer_id, 1, now)
            return (found[0] if found else None), self._at(connection)

    def customers(self, q: str, limit: int, cursor: str | None, now: datetime) -> CustomerPage:
        """Customers whose name has each word of `q` in it, by name."""
        named = and_(true(), *(customer.c.folded_name.like(fragment(w)) for w in folded(q).split()))
        after: ColumnElement[bool] = true()
        if cursor is not None:
            name, customer_id = decode_cursor(cursor, tuple[str, UUID])
            place = func.row(name, customer_id)
            after = func.row(customer.c.folded_name, customer.c.customer_id) > place
        with self._engine.connect() as connection:
            views = self._views(connection, and_(named, after), limit + 1, now)
            total = select(func.count()).select_from(customer).where(named)
            page = views[:limit]
            last = page[-1].customer if len(views) > limit else None
            return CustomerPage(
                items=page,
                total=connection.execute(total).scalar_one(),
                next_cursor=encode_cursor(last.folded_name, last.customer_id) if last else None,
                position=self._at(connection),
            )

    def _at(self, connection: Connection) -> int:
        """Read last or first, it is the same: a connection's statements see one snapshot."""
        return connection.execute(self._position).scalar_one()

    def _views(
        self, connection: Connection, which: ColumnElement[bool], limit: int, now: datetime
    ) -> list[CustomerView]:
        order = (customer.c.folded_name, customer.c.customer_id)
        rows = connection.execute(
            select(as_json(customer)).where(which).order_by(*order).limit(limit)
        ).scalars()
        customers = [_read_customer(row) for row in rows]
        status, vehicles = status_at(connection, now, self._disconnect_after_s)
        theirs = vehicle.c.customer_id == func.any(
            cast([c.customer_id for c in customers], ARRAY(vehicle.c.customer_id.type))
        )
        counts: dict[tuple[Any, Any], int] = {
            (row[0], row[1]): row[2]
            for row in connection.execute(
                select(vehicle.c.customer_id, status, func.count())
                .select_from(vehicles)
                .where(in_use, theirs)
                .group_by(vehicle.c.customer_id, status)
            )
        }
        return [
            CustomerView(c, {name: counts.get((c.customer_id, name), 0) for name in STATUSES})
            for c in customers
        ]


def _vehicles(connection: Connection, which: ColumnElement[bool]) -> list[VehicleView]:
    rows = connection.execute(
        select(
            as_json(vehicle),
            func.coalesce(customer.c.name, ""),
            func.coalesce(customer.c.address, ""),
            customer.c.disconnect_after_s,
            *newest_connection.c,
        )
        .outerjoin_from(vehicle, customer, vehicle.c.customer_id == customer.c.customer_id)
        .outerjoin(newest_connection, true())
        .where(in_use, which)
        .order_by(vehicle.c.vin)
    )
    return [VehicleView(_read_vehicle(row[0]), *row[1:]) for row in rows]
