"""Looking up customers and their vehicles in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from sqlalchemy import Text, and_, bindparam, cast, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from projections.customer_vehicles.model import (
    STATUSES,
    CustomerDocument,
    CustomerPage,
    CustomerView,
    Known,
    Listed,
    VehicleView,
)
from projections.customer_vehicles.relational import (
    customer,
    fleet_size,
    in_use,
    vehicle,
)
from projections.customer_vehicles.relational_status import newest_connection, status_at
from projections.customer_vehicles.remembered import edition_of, remembered_customers
from projections.database import position_of
from projections.ids import array_of, ids
from projections.json_rows import as_json, as_list
from projections.paging import decode_cursor, encode_cursor
from projections.prepared import Prepared
from projections.text import folded, fragment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Select

_read_customer = msgspec.json.Decoder(CustomerDocument).decode
_read_views = msgspec.json.Decoder(list[VehicleView]).decode
_read_names = msgspec.json.Decoder(dict[UUID, str]).decode
_read_sizes = msgspec.json.Decoder(list[tuple[str, int]]).decode


_owner = (
    select(customer.c.name, customer.c.address, customer.c.disconnect_after_s)
    .where(customer.c.customer_id == vehicle.c.customer_id)
    # As `newest_connection`: of a page's owners, not of all there are.
    .offset(0)
    .lateral()
)


class RelationalCustomerVehicles:
    """`CustomerVehicles` on the tables of the projection `customer_vehicles`."""

    def __init__(self, engine: Engine, projection: str, disconnect_after_s: int) -> None:
        self._engine = engine
        self._position = select(position_of(projection))
        at = position_of(projection)
        self._asked_position = Prepared("customer_vehicles_position", self._position)
        self._known = Prepared("known", select(_BY_ID, _THESE_NAMES, at))
        edition = edition_of(projection)
        self._listed = Prepared("listed", select(_BY_VIN, edition, at))
        self._listed_and_largest = Prepared(
            "listed_and_largest", select(_BY_VIN, _THE_LARGEST, edition, at)
        )
        self._customers = remembered_customers(engine, projection)
        self._disconnect_after_s = disconnect_after_s

    def position(self) -> int:
        """The position of the log that answers are of."""
        return int(self._asked_position.value(self._engine))

    def vehicle(self, vin: str) -> tuple[VehicleView | None, int]:
        """The vehicle in use with this VIN, and the position."""
        with self._engine.connect() as connection:
            found = _vehicles(connection, vehicle.c.vin == vin)
            return (found[0] if found else None), self._at(connection)

    def vehicles_of(self, customer_name: str) -> tuple[Sequence[VehicleView], int]:
        """All vehicles of the customers whose name has this in it, by VIN, and the position."""
        name = folded(customer_name)
        named = select(customer.c.customer_id).where(customer.c.folded_name.like(fragment(name)))
        theirs = vehicle.c.customer_id.in_(named) if name else true()
        with self._engine.connect() as connection:
            return _vehicles(connection, theirs), self._at(connection)

    def known(self, vehicle_ids: Iterable[UUID], customer_ids: Iterable[UUID]) -> Known:
        """Those of the vehicles that are in use, the customers' names, and the position."""
        views, names, position = self._known.row(
            self._engine, vehicles=array_of(vehicle_ids), customers=array_of(customer_ids)
        )
        vehicles = {view.vehicle.vehicle_id: view for view in _read_views(views)}
        return Known(vehicles, _read_names(names), position)

    def listed(self, vins: Iterable[str], customer_ids: Collection[str]) -> Listed:
        """Those of the vehicles that are in use, those customers, and the position.

        By VIN PostgreSQL looks vehicles up a fifth faster than by ids, which are anywhere.
        """
        views, edition, position = self._listed.row(self._engine, vins=list(vins))
        return Listed(_by_vin(views), self._customers.of(edition, customer_ids), position)

    def listed_and_largest(self, vins: Iterable[str], most: int) -> Listed:
        """Those of the vehicles; so many customers with the most, and how many they have."""
        views, largest, edition, position = self._listed_and_largest.row(
            self._engine, vins=list(vins), most=most
        )
        sizes = dict(_read_sizes(largest))
        return Listed(_by_vin(views), self._customers.of(edition, sizes), position, sizes)

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


def _by_vin(views: str) -> dict[str, VehicleView]:
    return {view.vehicle.vin: view for view in _read_views(views)}


def _vehicles(connection: Connection, which: ColumnElement[bool]) -> list[VehicleView]:
    """By VIN."""
    found = _read_views(connection.execute(_views_of(which)).scalar_one())
    return sorted(found, key=lambda view: view.vehicle.vin)


def _views_of(which: ColumnElement[bool]) -> Select[Any]:
    """`VehicleView`s as one text, in no order."""
    view = func.json_build_array(
        func.row_to_json(vehicle.table_valued()),
        func.coalesce(_owner.c.name, ""),
        func.coalesce(_owner.c.address, ""),
        _owner.c.disconnect_after_s,
        *newest_connection.c,
    )
    return (
        select(as_list(view))
        .select_from(vehicle.outerjoin(_owner, true()).outerjoin(newest_connection, true()))
        .where(in_use, which)
    )


# Made once, for every search takes them.
_BY_ID = _views_of(vehicle.c.vehicle_id == func.any(ids("vehicles"))).scalar_subquery()
_THESE = cast(bindparam("vins"), ARRAY(Text))
_BY_VIN = _views_of(vehicle.c.vin == func.any(_THESE)).scalar_subquery()
_THESE_NAMES = (
    select(
        func.coalesce(
            func.json_object_agg(customer.c.customer_id, customer.c.name), literal_column("'{}'")
        ).cast(Text)
    )
    .where(customer.c.customer_id == func.any(ids("customers")))
    .scalar_subquery()
)
_largest = (
    select(fleet_size)
    .order_by(fleet_size.c.vehicles.desc(), fleet_size.c.customer_id)
    .limit(bindparam("most"))
    .subquery()
)
_its_size = func.json_build_array(_largest.c.customer_id, _largest.c.vehicles)
_THE_LARGEST = select(as_list(_its_size)).select_from(_largest).scalar_subquery()
