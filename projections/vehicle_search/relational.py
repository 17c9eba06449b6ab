"""Finding vehicles in the tables of `customer_vehicles`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    func,
    select,
    true,
)

from projections.customer_vehicles.model import STATUSES, VehicleDocument, VehicleView
from projections.customer_vehicles.relational import (
    customer,
    in_use,
    vehicle,
)
from projections.customer_vehicles.relational_status import newest_connection, status_at
from projections.database import position_of
from projections.json_rows import as_json, as_list
from projections.prepared import Prepared
from projections.text import folded
from projections.vehicle_search.hints import Hints
from projections.vehicle_search.model import (
    MOST_CUSTOMERS,
    CustomerCount,
    VehiclePage,
    VehicleQuery,
)
from projections.vehicle_search.relational_filters import (
    Condition,
    conditions,
    nearby,
)
from projections.vehicle_search.relational_order import Order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from projections.customer_vehicles.relational_status import StatusAt

FEW = 2_000
"""So few vehicles are sorted faster than they are met in an order that is there already."""

_ITS_CUSTOMER = vehicle.c.customer_id == customer.c.customer_id
_read_document = msgspec.json.Decoder(VehicleDocument).decode
_read_counts = msgspec.json.Decoder(list[CustomerCount]).decode


class RelationalVehicleSearch:
    """`VehicleSearch` on the tables of the projection `customer_vehicles`."""

    def __init__(self, engine: Engine, projection: str, disconnect_after_s: int) -> None:
        self.hints = Hints(engine, projection)
        self._engine = engine
        self._position = position_of(projection)
        self._asked_position = Prepared("vehicle_search_position", select(self._position))
        self._disconnect_after_s = disconnect_after_s

    def position(self) -> int:
        """The position of the log that a search would answer of."""
        return int(self._asked_position.value(self._engine))

    def search(self, query: VehicleQuery, now: datetime) -> VehiclePage:
        """A page of the vehicles, everything in it as of one position of the log."""
        with self._engine.connect() as connection:
            return self.search_in(connection, query, now, nearby(query.shapes))

    def search_in(
        self,
        connection: Connection,
        query: VehicleQuery,
        now: datetime,
        besides: Sequence[Condition] = (),
    ) -> VehiclePage:
        """The same of the tables that this connection sees under their names.

        `besides` is what else holds for all that is asked for: so PostgreSQL finds it sooner.
        """
        of_customer = _one_of(vehicle.c.customer_id, query.customer_ids)
        at = status_at(connection, now, self._disconnect_after_s)
        order = Order(query.sort, at.status)
        after = order.after(query.cursor)
        found = and_(in_use, *besides, *conditions(connection, query, now))
        counts = connection.execute(self._counts(query, found, at)).one()
        chosen = (
            select(
                vehicle.c.vehicle_id,
                customer.c.name,
                order.key.label("key"),
                vehicle.c.vin,
                customer.c.disconnect_after_s,
            )
            .select_from(at.vehicles.outerjoin(customer, _ITS_CUSTOMER))
            .where(found, of_customer, _one_of(at.status, query.statuses), after)
        )
        if counts.total < FEW:
            # PostgreSQL cannot know how few they are. OFFSET keeps it from walking the whole
            # index of plates for them: four times slower than scanning and sorting.
            chosen = chosen.offset(0)
        rows = connection.execute(_page(chosen, order, query.limit + 1)).all()
        page = rows[: query.limit]
        customers = _read_counts(counts.customers)
        return VehiclePage(
            items=[VehicleView(_read_document(row[0]), row[1] or "", "", *row[4:]) for row in page],
            total=counts.total,
            statuses={name: (counts.statuses or {}).get(name, 0) for name in STATUSES},
            customers=sorted(customers, key=lambda c: (folded(c.name), c.customer_id)),
            next_cursor=order.cursor(*page[-1][2:4]) if len(rows) > len(page) else None,
            position=counts.position,
        )

    def _counts(self, query: VehicleQuery, found: Condition, at: StatusAt) -> Any:
        """Position, total and facets as one statement, from one walk over the vehicles found."""
        groups = (
            select(vehicle.c.customer_id, at.status.label("status"), func.count().label("n"))
            .select_from(at.vehicles)
            .where(found)
            .group_by(vehicle.c.customer_id, at.status)
            .cte("groups")
        )
        n = cast(func.coalesce(func.sum(groups.c.n), 0), type_=groups.c.n.type)
        of_customer = _one_of(groups.c.customer_id, query.customer_ids)
        of_status = _one_of(groups.c.status, query.statuses)
        statuses = (
            select(groups.c.status, n.label("n")).where(of_customer).group_by(groups.c.status)
        ).subquery()
        name = func.coalesce(customer.c.name, "").label("name")
        customers = (
            select(groups.c.customer_id, name, n.label("count"))
            .outerjoin_from(groups, customer, groups.c.customer_id == customer.c.customer_id)
            .where(of_status)
            .group_by(groups.c.customer_id, customer.c.name)
            .order_by(n.desc(), groups.c.customer_id)
            .limit(MOST_CUSTOMERS)
        ).subquery()
        return select(
            self._position.label("position"),
            select(n).where(of_customer, of_status).scalar_subquery().label("total"),
            select(func.json_object_agg(*statuses.c)).scalar_subquery().label("statuses"),
            select(as_list(customers.table_valued())).scalar_subquery().label("customers"),
        )


def _page(chosen: Select[Any], order: Order, limit: int) -> Select[Any]:
    """The first of the vehicles chosen. Only theirs are made documents, not all that are sorted."""
    found = chosen.subquery()
    first = select(found).order_by(order.sorted(found.c.key), found.c.vin).limit(limit).subquery()
    return (
        select(
            as_json(vehicle),
            first.c.name,
            cast(first.c.key, Text),
            vehicle.c.vin,
            first.c.disconnect_after_s,
            *newest_connection.c,
        )
        .join_from(first, vehicle, first.c.vehicle_id == vehicle.c.vehicle_id)
        .outerjoin(newest_connection, true())
        .order_by(order.sorted(first.c.key), vehicle.c.vin)
    )


def _one_of(column: ColumnElement[Any], wanted: tuple[Any, ...]) -> Condition:
    return column.in_(wanted) if wanted else true()
