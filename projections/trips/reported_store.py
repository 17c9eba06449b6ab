"""Which reported trips a page of the log is about, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import and_, func, or_, select

from projections.json_rows import as_json, write_rows
from projections.trips import model, reported
from projections.trips.history import during
from projections.trips.rows import WRITE_TRIPS, any_of
from projections.trips.tables import trip
from projections.trips.vehicle import owned_otherwise_since
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.values import vehicle_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from projections.trips.history import History
    from projections.trips.measure import Reading
    from projections.trips.news import News
    from projections.trips.vehicle import Followed

_Span = tuple["datetime", "datetime | None"]

_read = msgspec.json.Decoder(model.Trip).decode


def keep_reported(
    connection: Connection,
    history: History,
    kept: Mapping[str, Followed],
    vehicles: Mapping[str, Followed],
    news: Mapping[str, News],
) -> None:
    """Write the reported trips that were told of, and those of which something else is new.

    That is the heartbeats of one that is over, and to whom its vehicle belonged.
    """
    told = [
        event
        for one in news.values()
        for event in one.events
        if isinstance(event, Trip.Created | Trip.Ended)
    ]
    touched = {
        vin: instants
        for vin, said in news.items()
        if (instants := _touched(kept.get(vin), vehicles[vin], said))
    }
    if not told and not touched:
        return
    trips: dict[UUID, model.Trip] = {}
    ids = {event.originator_id for event in told}
    for one in _kept_trips(connection, ids, touched):
        if one.trip_id in ids or _is_touched(one, *touched[one.vin]):
            trips[one.trip_id] = one
    for event in told:
        trips[event.originator_id] = reported.told(trips.get(event.originator_id), event)
    rows = _with_history(trips, vehicles, history)
    write_rows(connection, WRITE_TRIPS, rows, position=history.position)


def _with_history(
    trips: Mapping[UUID, model.Trip], vehicles: Mapping[str, Followed], history: History
) -> list[model.Trip]:
    """The trips as their vehicles' owners and heartbeats say."""
    readings: dict[UUID, list[Reading]] = {trip_id: [] for trip_id in trips}
    spans = {
        trip_id: during(one.vin, one.started_at, one.ended_at)
        for trip_id, one in trips.items()
        if one.ended_at
    }
    for trip_id, piece in history.read(spans):
        readings[trip_id] += piece
    return [
        replace(
            reported.over(one, readings[trip_id]),
            customer_id=vehicles[one.vin].customer_at(one.started_at),
        )
        for trip_id, one in trips.items()
    ]


def _touched(kept: Followed | None, vehicle: Followed, news: News) -> _Span | None:
    """Between when something is new of the vehicle that its reported trips may not know yet."""
    if kept and kept is not vehicle:
        for since in owned_otherwise_since(kept, vehicle):
            return since, None
    until = vehicle.reported_until
    if until is None:
        return None
    instants = [event.recorded_at for event in news.heartbeats if event.recorded_at <= until]
    return (min(instants), max(instants)) if instants else None


def _is_touched(one: model.Trip, since: datetime, until: datetime | None) -> bool:
    begun = until is None or one.started_at <= until
    return begun and (one.ended_at is None or one.ended_at >= since)


def _kept_trips(
    connection: Connection, ids: set[UUID], touched: Mapping[str, _Span]
) -> Iterator[model.Trip]:
    wanted = trip.c.trip_id == func.any(any_of(ids))
    if touched:
        since = min(since for since, _ in touched.values())
        wanted = or_(
            wanted,
            and_(
                trip.c.vehicle_id == func.any(any_of(vehicle_streams(touched))),
                trip.c.source == "reported",
                or_(trip.c.ended_at.is_(None), trip.c.ended_at >= since),
            ),
        )
    return map(_read, connection.execute(select(as_json(trip)).where(wanted)).scalars())
