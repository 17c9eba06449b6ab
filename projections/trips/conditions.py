"""What a query asks of a trip, as conditions of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    and_,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from projections.customer_vehicles.relational import customer, vehicle
from projections.text import folded, fragment
from projections.trips.tables import followed, trip

if TYPE_CHECKING:
    from datetime import datetime

    from projections.trips.model import TripQuery
    from projections.vehicle_search.model import Box

Condition = ColumnElement[bool]


def conditions(query: TripQuery) -> list[Condition]:
    """All that is asked but for the place in the list."""
    asked = [_with_word(word) for word in folded(query.q).split()]
    if query.vin is not None:
        asked.append(trip.c.vin == query.vin)
    if query.customer_ids:
        asked.append(trip.c.customer_id.in_(query.customer_ids))
    if query.since or query.until:
        asked.append(_during(query.since, query.until))
    if query.box:
        asked.append(_through(query.box))
    return asked


def is_shown() -> Condition:
    """True of reported trips of registered vehicles, and of derived ones that overlap none.

    A derived trip that is not over reaches until what was last heard of its vehicle.
    """
    other = trip.alias("reported")
    until = func.coalesce(trip.c.ended_at, followed.c.heard_until)
    overlapped = (
        select(other.c.trip_id)
        .where(
            other.c.vehicle_id == trip.c.vehicle_id,
            other.c.source == literal_column("'reported'"),
            other.c.started_at < until,
            or_(other.c.ended_at.is_(None), other.c.ended_at > trip.c.started_at),
        )
        .exists()
    )
    registered = trip.c.customer_id.is_not(None)
    return and_(registered, or_(trip.c.source == "reported", not_(overlapped)))


def lasts_at(instant: datetime | ColumnElement[datetime]) -> Condition:
    """True of the trips that had started by then and were not over before."""
    return _lasted().bool_op("@>")(cast(instant, DateTime(timezone=True)))


def _during(since: datetime | None, until: datetime | None) -> Condition:
    return _lasted().bool_op("&&")(func.tstzrange(since, until, literal_column("'[)'")))


def _lasted() -> ColumnElement[Any]:
    """As the index has it."""
    return func.tstzrange(trip.c.started_at, trip.c.ended_at, literal_column("'[]'"))


def _with_word(word: str) -> Condition:
    texts = (vehicle.c.search_text, customer.c.folded_name, trip.c.folded_driver)
    return or_(*(text.like(fragment(word)) for text in texts))


def _through(box: Box) -> Condition:
    """One of the places is in the box; most trips are ruled out by what theirs are in between."""
    place = (
        func.unnest(trip.c.latitudes, trip.c.longitudes)
        .table_valued("latitude", "longitude", name="place")
        .render_derived()
    )
    west, east = place.c.longitude >= box.west, place.c.longitude <= box.east
    nearly_west, nearly_east = trip.c.east >= box.west, trip.c.west <= box.east
    both = and_ if box.west <= box.east else or_
    inside: Select[Any] = select(literal_column("1")).where(
        place.c.latitude.between(box.south, box.north), both(west, east)
    )
    return and_(
        trip.c.south <= box.north,
        trip.c.north >= box.south,
        both(nearly_west, nearly_east),
        inside.exists(),
    )
