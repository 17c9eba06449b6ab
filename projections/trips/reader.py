"""Finding trips in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import Text, and_, bindparam, case, cast, func, or_, select, true

from projections.customer_vehicles.relational import customer, vehicle
from projections.database import position_of
from projections.ids import array_of, ids
from projections.paging import decode_cursor, encode_cursor
from projections.prepared import Prepared
from projections.trips.conditions import conditions, is_shown, lasts_at
from projections.trips.derivation import State, over_by
from projections.trips.model import Trip, TripPage, TripView
from projections.trips.rows import any_of
from projections.trips.rules import TripRules
from projections.trips.tables import followed, rules, trip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine, Row, Select

    from projections.trips.derivation import DerivedTrip
    from projections.trips.model import TripQuery

_NOT_SHOWN = ("south", "north", "west", "east", "latitudes", "longitudes", "position")
_COLUMNS = [column for column in trip.columns if column.name not in _NOT_SHOWN]
_NAMES = [str(column.name) for column in _COLUMNS]
_FOLLOWED = trip.outerjoin(followed, followed.c.vehicle_id == trip.c.vehicle_id).outerjoin(
    rules, rules.c.customer_id == followed.c.customer_id
)
_TABLES = _FOLLOWED.outerjoin(vehicle, vehicle.c.vehicle_id == trip.c.vehicle_id).outerjoin(
    customer, customer.c.customer_id == trip.c.customer_id
)
_under_way = and_(trip.c.source == "derived", trip.c.ended_at.is_(None))
_KNOWN_OF_OPEN = (
    case((_under_way, cast(followed.c.state, Text))).label("state"),
    case((_under_way, cast(rules.c.rules, Text))).label("rules"),
)
_read_state = msgspec.json.Decoder(State).decode
_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class RelationalTrips:
    """`Trips` on the tables of the projections `trips` and `customer_vehicles`."""

    def __init__(self, engine: Engine, projection: str, customers_projection: str) -> None:
        self._engine = engine
        both = position_of(projection), position_of(customers_projection)
        self._position: Select[int] = select(func.least(*both))
        self._asked_position = Prepared("trips_position", self._position)

    def position(self) -> int:
        """The position of the log that answers are of."""
        return int(self._asked_position.value(self._engine))

    def knows(self, vin: str) -> bool:
        """True if a vehicle with this VIN was registered, whether it is in use or not."""
        registered = vehicle.c.registered_at.is_not(None)
        with self._engine.connect() as connection:
            found = select(vehicle.c.vin).where(vehicle.c.vin == vin, registered)
            return connection.execute(found).first() is not None

    def trip(self, trip_id: UUID, now: datetime) -> tuple[TripView | None, int]:
        """The trip with this id, and the position."""
        with self._engine.connect() as connection:
            rows = connection.execute(_select(trip.c.trip_id == trip_id)).all()
            views = [view for row in rows if (view := _view(row, now))]
            return (views[0] if views else None), self._at(connection)

    def find(self, query: TripQuery, now: datetime) -> TripPage:
        """A page of trips."""
        after: ColumnElement[bool] = true()
        if query.cursor is not None:
            place = func.row(*place_of(query.cursor))
            after = func.row(trip.c.started_at, trip.c.trip_id) < place
        chosen = (
            _select(and_(*conditions(query), after))
            .order_by(trip.c.started_at.desc(), trip.c.trip_id.desc())
            .limit(query.limit + 1)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(chosen).all()
            position = self._at(connection)
        page = rows[: query.limit]
        last = page[-1] if len(rows) > len(page) else None
        return TripPage(
            items=[view for row in page if (view := _asked_for(row, query, now))],
            next_cursor=encode_cursor(last.started_at, last.trip_id) if last else None,
            position=position,
        )

    def chosen(
        self, trip_ids: Sequence[UUID], query: TripQuery, now: datetime
    ) -> tuple[Mapping[UUID, TripView], int]:
        """Those of the trips that are asked for and shown, wherever in the list, and the position.

        Whoever finds the ids elsewhere need not be exact.
        """
        these = trip.c.trip_id == func.any(any_of(trip_ids))
        with self._engine.connect() as connection:
            rows = connection.execute(_select(and_(these, *conditions(query)))).all()
            position = self._at(connection)
        views = [view for row in rows if (view := _asked_for(row, query, now))]
        return {view.trip.trip_id: view for view in views}, position

    def open_trips(self, vehicle_ids: Sequence[UUID], now: datetime) -> Mapping[UUID, UUID]:
        """The open trips of those of the vehicles that have one: the reported one comes first."""
        return self._under_way(vehicle_ids, _OPEN, now)

    def trips_at(self, vehicle_ids: Sequence[UUID], at: datetime) -> Mapping[UUID, UUID]:
        """The trips that those of the vehicles were on at an instant, over since then or not."""
        return self._under_way(vehicle_ids, _LASTING, at)

    def _under_way(
        self, vehicle_ids: Sequence[UUID], asked: Prepared, at: datetime
    ) -> Mapping[UUID, UUID]:
        trips = {}
        found = asked.rows(self._engine, theirs=array_of(vehicle_ids), at=at)
        for vehicle_id, trip_id, ended_at, state, own_rules in found:
            over = _over_by(_state_in(state), own_rules, at)
            until = over[0].ended_at if over else ended_at
            if over != [] and (until is None or until > at):
                trips[vehicle_id] = trip_id
        return trips

    def _at(self, connection: Connection) -> int:
        """Read last or first, it is the same: a connection's statements see one snapshot."""
        return connection.execute(self._position).scalar_one()


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """The start and the id of the trip that a page ended with. Errors: `invalid_cursor`."""
    place: tuple[datetime, UUID] = decode_cursor(cursor, tuple[_Aware, UUID])
    return place


def _select(which: ColumnElement[bool]) -> Any:
    """The trips that are shown, with what is needed of those that are not over."""
    return (
        select(
            *_COLUMNS,
            *_KNOWN_OF_OPEN,
            func.coalesce(vehicle.c.registration_number, "").label("registration_number"),
            func.coalesce(customer.c.name, "").label("customer_name"),
        )
        .select_from(_TABLES)
        .where(is_shown(), which)
    )


def _of_vehicles(which: ColumnElement[bool]) -> Select[Any]:
    """Trips of `theirs`, of each vehicle the derived ones first."""
    theirs = trip.c.vehicle_id == func.any(ids("theirs"))
    return (
        select(trip.c.vehicle_id, trip.c.trip_id, trip.c.ended_at, *_KNOWN_OF_OPEN)
        .select_from(_FOLLOWED)
        .where(is_shown(), theirs, which)
        .order_by(trip.c.source, trip.c.started_at)
    )


_at = bindparam("at", type_=trip.c.ended_at.type)
_not_over = trip.c.ended_at.is_(None)
_OPEN = Prepared("open_trips", _of_vehicles(_not_over))
_LASTING = Prepared(
    "trips_at", _of_vehicles(and_(lasts_at(_at), or_(_not_over, trip.c.ended_at > _at)))
)


def _view(row: Row[Any], now: datetime) -> TripView | None:
    """A trip as it is at `now`; None if it is over and was too short for one."""
    values = row._asdict()
    found = msgspec.convert({name: values[name] for name in _NAMES}, Trip)
    state = _state_in(row.state)
    over = _over_by(state, row.rules, now)
    if over == []:
        return None
    if over:
        found = replace(found, ended_at=over[0].ended_at, measured=over[0].measured)
    elif state and state.open:
        found = replace(found, measured=state.open.way.measured())
    return TripView(found, row.registration_number, row.customer_name)


def _state_in(text: str | None) -> State | None:
    """What is remembered of the vehicle of a trip that was open when it was stored."""
    return _read_state(text) if text else None


def _over_by(state: State | None, own_rules: str | None, now: datetime) -> list[DerivedTrip] | None:
    """The trip, if it was open when it was stored and is over by now: as `over_by`."""
    if state is None:
        return None
    own = msgspec.json.decode(own_rules) if own_rules else None
    return over_by(state, now, TripRules.of(own))


def _asked_for(row: Row[Any], query: TripQuery, now: datetime) -> TripView | None:
    """A trip as it is at `now`. One that is open for the database may have been over before."""
    view = _view(row, now)
    if view and query.since and view.trip.ended_at and view.trip.ended_at < query.since:
        return None
    return view
