"""Finding vehicles in the tables of `customer_vehicles`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from projections.customer_vehicles.model import STATUSES, VehicleDocument, VehicleView
from projections.customer_vehicles.relational import (
    customer,
    in_use,
    vehicle,
)
from projections.customer_vehicles.relational_status import newest_connection, status_at
from projections.database import one_statement, position_of
from projections.json_rows import as_json
from projections.paging import decode_cursor, encode_cursor, instant_in, invalid_cursor
from projections.text import folded
from projections.vehicle_search.model import (
    MOST_CUSTOMERS,
    CustomerCount,
    VehiclePage,
    VehicleQuery,
)
from projections.vehicle_search.relational_filters import (
    Condition,
    conditions,
    in_cells,
    in_shape,
    nearby,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine

    from projections.customer_vehicles.relational_status import StatusAt
    from projections.vehicle_search.model import Shape

FEW = 2_000
"""So few vehicles are sorted faster than they are met in an order that is there already."""

_INDEXED = ("registration_number", "vin")

_ITS_CUSTOMER = vehicle.c.customer_id == customer.c.customer_id
_read_document = msgspec.json.Decoder(VehicleDocument).decode
_read_counts = msgspec.json.Decoder(list[CustomerCount]).decode


class RelationalVehicleSearch:
    """`VehicleSearch` on the tables of the projection `customer_vehicles`."""

    def __init__(self, engine: Engine, projection: str, disconnect_after_s: int) -> None:
        self._engine = engine
        self._position = position_of(projection)
        self._disconnect_after_s = disconnect_after_s

    def position(self) -> int:
        """The position of the log that a search would answer of."""
        with one_statement(self._engine) as connection:
            return connection.execute(select(self._position)).scalar_one()

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
        order = _Order(query.sort, at.status)
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

    def end_of_page(self, query: VehicleQuery) -> str | None:
        """The key of the first vehicle after a page of a fleet that `has_in_order`, if any is."""
        order = _Order(query.sort, null())
        after = order.after(query.cursor)
        found = (
            select(order.key)
            .where(in_use, after)
            .order_by(order.sorted(order.key), vehicle.c.vin)
            .offset(query.limit)
            .limit(1)
        )
        with one_statement(self._engine) as connection:
            return connection.execute(found).scalar()

    def inside(self, shape: Shape, cells: Sequence[int], most: int) -> Sequence[str]:
        """The VINs of those in use in the cells who are in the shape; at most so many."""
        there = and_(in_use, in_cells(cells), in_shape(shape))
        found = select(vehicle.c.vin).where(there).limit(most)
        with one_statement(self._engine) as connection:
            return connection.execute(found).scalars().all()

    def named(self, words: Sequence[str], most: int) -> Mapping[str, Sequence[UUID]]:
        """By each of these words, customers with it within a word of their name; at most so many.

        A word of a name that begins with it is not looked at.
        """
        found: dict[str, list[UUID]] = {word: [] for word in words}
        if words:
            given = {"words": list(found), "most": most}
            with one_statement(self._engine) as connection:
                for word, customer_id in connection.execute(_NAMED, given):
                    found[word].append(customer_id)
        return found

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
        as_list = func.json_agg(customers.table_valued())
        return select(
            self._position.label("position"),
            select(n).where(of_customer, of_status).scalar_subquery().label("total"),
            select(func.json_object_agg(*statuses.c)).scalar_subquery().label("statuses"),
            select(cast(func.coalesce(as_list, func.json_build_array()), Text))
            .scalar_subquery()
            .label("customers"),
        )


def has_in_order(query: VehicleQuery) -> bool:
    """True of all that are in use, in an order that an index of the tables is in."""
    of_all = query.counts_whole_fleets and not query.customer_ids
    return of_all and query.sort.lstrip("-") in _INDEXED


def _named() -> Select[Any]:
    word = func.unnest(bindparam("words", type_=ARRAY(Text))).column_valued("word")
    name = customer.c.folded_name
    within = (
        select(customer.c.customer_id)
        .where(func.strpos(name, word) > 0)
        .where(func.strpos(func.concat(" ", name), func.concat(" ", word)) == 0)
        .limit(bindparam("most"))
        .lateral()
    )
    return select(word, within.c.customer_id)


_NAMED = _named()


def _page(chosen: Select[Any], order: _Order, limit: int) -> Select[Any]:
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


class _Order:
    """The order of a list: by a key, then by VIN."""

    def __init__(self, sort: str, status: ColumnElement[Any]) -> None:
        self._sort = sort
        self._reversed = sort.startswith("-")
        never = cast("-infinity" if self._reversed else "infinity", DateTime(timezone=True))
        keys: dict[str, ColumnElement[Any]] = {
            "registration_number": vehicle.c.registration_number,
            "vin": vehicle.c.vin,
            "customer": func.coalesce(customer.c.folded_name, ""),
            "status": status,
            "last_heartbeat_at": func.coalesce(vehicle.c.last_heartbeat_at, never),
        }
        self.key = keys[sort.lstrip("-")]

    def sorted(self, key: ColumnElement[Any]) -> ColumnElement[Any]:
        """The key, downwards if that is the order."""
        return key.desc() if self._reversed else key

    def cursor(self, key: str, vin: str) -> str:
        """The place of a vehicle in this order."""
        return encode_cursor(self._sort, key, vin)

    def after(self, cursor: str | None) -> Condition:
        """True of the vehicles after that place; without one, of all."""
        if cursor is None:
            return true()
        sort, key, vin = decode_cursor(cursor, tuple[str, str, str])
        if sort != self._sort:
            raise invalid_cursor()
        is_instant = isinstance(self.key.type, DateTime) and key.lstrip("-") != "infinity"
        place = cast(instant_in(key) if is_instant else key, self.key.type)
        if self._reversed:
            beyond, not_before = self.key < place, self.key <= place
        else:
            beyond, not_before = self.key > place, self.key >= place
        return and_(not_before, or_(beyond, vehicle.c.vin > vin))
