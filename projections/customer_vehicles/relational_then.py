"""The tables as they were at an instant: temporary ones, called as the real ones are.

They have what is searched by. What vehicles said last by then is looked up in the log for all of
them at once, and goes from there to here as arrays: of most vehicles no object is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    DateTime,
    Double,
    MetaData,
    Text,
    Uuid,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from projections.customer_vehicles.model import CustomerDocument, VehicleDocument
from projections.customer_vehicles.relational import customer, vehicle
from projections.customer_vehicles.then import ONLY_SHOWN, as_decided, id_of
from projections.json_rows import as_json, insert_rows, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import (
        ColumnElement,
        Connection,
        FromClause,
        Select,
        Subquery,
        Table,
        TableValuedAlias,
    )

    from projections.customer_vehicles.model import Aggregated
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.history import Deadline, History

_AT_ONCE = 5_000
"""So many documents are folded anew at once: some megabytes, in a second."""

_read: dict[str, Callable[[str], Aggregated]] = {
    customer.name: msgspec.json.Decoder(CustomerDocument).decode,
    vehicle.name: msgspec.json.Decoder(VehicleDocument).decode,
}
"""By table, what makes documents of its rows."""


class Asked(NamedTuple):
    """An instant, up to which position of the log it is known, and by when to answer."""

    at: datetime
    position: int
    deadline: Deadline


class TablesThen:
    """Makes `customer` and `vehicle` as they were, to be gone with the transaction."""

    def __init__(self, log: EventLog, history: History) -> None:
        self._log = log
        self._history = history

    def make(self, connection: Connection, asked: Asked, *, with_places: bool) -> None:
        """Make them, and leave the rest of the time to the statements that follow.

        Without `with_places` a vehicle is where it is now, and `position_recorded_at` tells
        whether it was there then. Errors: `too_much_to_read`.
        """
        _hurry(connection, asked)
        customers = select(customer).where(customer.c.registered_at <= asked.at)
        self._make(connection, asked, customer, customers)
        vehicles = self._vehicles(connection, asked, with_places=with_places)
        self._make(connection, asked, vehicle, vehicles)

    def _vehicles(self, connection: Connection, asked: Asked, *, with_places: bool) -> Select[Any]:
        """The vehicles registered by then: as they are now, but for what they said since."""
        said = [(vehicle.c.last_heartbeat_at, self._times_then(connection, asked))]
        if with_places:
            said.append((vehicle.c.position_recorded_at, self._places_then(connection, asked)))
        then: dict[str, ColumnElement[Any]] = dict(vehicle.columns)
        tables: FromClause = vehicle
        for newest, rows in said:
            tables = tables.outerjoin(rows, rows.c.vehicle_id == vehicle.c.vehicle_id)
            for name in rows.columns.keys()[1:]:
                then[name] = case((newest > asked.at, rows.c[name]), else_=vehicle.c[name])
        columns = [one.label(name) for name, one in then.items() if name not in ONLY_SHOWN]
        return select(*columns).select_from(tables).where(vehicle.c.registered_at <= asked.at)

    def _times_then(self, connection: Connection, asked: Asked) -> Subquery:
        """When the vehicles that were heard since had been heard last."""
        ids, vins = _later(connection, vehicle.c.last_heartbeat_at, asked.at)
        times = self._history.times_of_newest(vins, *asked) if vins else "{}"
        said = _rows(vehicle_id=(ids, Uuid), time=(times, BigInteger))
        return select(said.c.vehicle_id, _instant(said).label("last_heartbeat_at")).subquery()

    def _places_then(self, connection: Connection, asked: Asked) -> Subquery:
        """Where the vehicles had been that said a place since."""
        ids, vins = _later(connection, vehicle.c.position_recorded_at, asked.at)
        arrays = self._history.places_of_newest(vins, *asked) if vins else ["{}"] * 3
        times, latitudes, longitudes = arrays
        said = _rows(
            vehicle_id=(ids, Uuid),
            time=(times, BigInteger),
            latitude=(latitudes, Double),
            longitude=(longitudes, Double),
        )
        recorded_at = _instant(said).label("position_recorded_at")
        return select(said.c.vehicle_id, recorded_at, *said.c["latitude", "longitude"]).subquery()

    def _make(self, connection: Connection, asked: Asked, table: Table, rows: Select[Any]) -> None:
        """A table of these rows; those anew that were changed after they were registered."""
        _hurry(connection, asked)
        name = table.name
        connection.execute(text(f"CREATE TEMPORARY TABLE {name}_then (LIKE {name})"))
        then = table.to_metadata(MetaData(), name=f"{name}_then")
        connection.execute(insert(then).from_select(rows.selected_columns.keys(), rows))
        taken = delete(then).where(then.c.version > 1).returning(as_json(then))
        changed = list(connection.execute(taken).scalars())
        for begin in range(0, len(changed), _AT_ONCE):
            _hurry(connection, asked)
            documents = [*map(_read[name], changed[begin : begin + _AT_ONCE])]
            own = self._log.streams([id_of(one) for one in documents])
            again = [as_decided(one, own[id_of(one)], asked.at) for one in documents]
            write_rows(connection, insert_rows(then, changed_position=literal(0)), again)
        connection.execute(text(f"ALTER TABLE {name}_then RENAME TO {name}"))
        # Of 3,000 rows, not 30,000: what PostgreSQL would guess without is what must not be.
        connection.execute(text("SET LOCAL default_statistics_target = 10"))
        connection.execute(text(f"ANALYZE pg_temp.{name}"))
        _hurry(connection, asked)


def _hurry(connection: Connection, asked: Asked) -> None:
    """Let no statement that follows take longer than there is time."""
    milliseconds = str(round(1_000 * asked.deadline.left_s()) + 1)
    connection.execute(select(func.set_config("statement_timeout", milliseconds, true())))


def _later(
    connection: Connection, instant: ColumnElement[datetime], at: datetime
) -> tuple[str, list[str]]:
    """The vehicles of which it is after `at`: the array of their ids, and their VINs."""
    ids, vins = func.array_agg(vehicle.c.vehicle_id), func.array_agg(vehicle.c.vin)
    later = select(cast(ids, Text), cast(vins, Text)).where(vehicle.c.registered_at <= at)
    found = connection.execute(later.where(instant > at)).one()
    return (found[0], found[1][1:-1].split(",")) if found[0] else ("{}", [])


def _rows(**arrays: tuple[str, Any]) -> TableValuedAlias:
    """Arrays as PostgreSQL writes them, each of a type, as the columns of a table."""
    columns = [cast(literal(array, Text), ARRAY(kind)) for array, kind in arrays.values()]
    named = [column(name, kind) for name, (_, kind) in arrays.items()]
    return func.unnest(*columns).table_valued(*named).render_derived()


def _instant(rows: TableValuedAlias) -> ColumnElement[datetime]:
    """Its `time`, in microseconds; exact since the year 1, in parts that a double can hold."""
    seconds = rows.c.time // 1_000_000 * text("interval '1 second'")
    microseconds = rows.c.time % 1_000_000 * text("interval '1 microsecond'")
    return literal_column("timestamptz 'epoch'", DateTime(timezone=True)) + seconds + microseconds
