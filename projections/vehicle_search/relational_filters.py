"""What a query asks of a vehicle, as conditions of SQL."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from projections.customer_vehicles.relational import customer, in_use, vehicle
from projections.text import fragment
from projections.vehicle_search.covered import covered_by, numbers
from projections.vehicle_search.model import EARTH_RADIUS_KM, Box, Circle
from projections.vehicle_search.words import halves, typos, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from projections.vehicle_search.model import Shape, VehicleQuery

Condition = ColumnElement[bool]

MOST_CELLS = 1_000
"""A shape of more cells has so many vehicles that finding them by cell is no gain."""

_LATITUDE, _LONGITUDE = vehicle.c.latitude, vehicle.c.longitude


def conditions(connection: Connection, query: VehicleQuery, now: datetime) -> list[Condition]:
    """All that is asked, but for status and customer: the facets are counted without those."""
    asked = _each_word(connection, words(query.q))
    if query.silent_for is not None:
        asked.append(vehicle.c.last_heartbeat_at < now - query.silent_for)
    asked += [in_shape(shape) for shape in query.shapes]
    if query.labels:
        # One by one: the same key may be asked for twice, and then no vehicle has both.
        asked += [vehicle.c.labels.contains(cast({k: v}, JSONB)) for k, v in query.labels]
    return asked


def in_shape(shape: Shape) -> Condition:
    """The vehicle's last known place is in it."""
    if isinstance(shape, Box):
        return _in_box(shape, across=_is_across(shape))
    return _near(shape)


def kind_of(shape: Shape) -> str:
    """Which of `IN_SHAPES` is the condition of this shape."""
    if isinstance(shape, Box):
        return "box across the antimeridian" if _is_across(shape) else "box"
    return "circle"


def nearby(shapes: Sequence[Shape]) -> list[Condition]:
    """The vehicle is in one of the cells of each shape: so the few that may be in it are found.

    That leaves nobody out. A shape of too many cells is not looked up by them.
    """
    covered = [covered_by(shape) for shape in shapes]
    return [in_cells(numbers(one.blocks)) for one in covered if one.cells <= MOST_CELLS]


def in_cells(cells: Sequence[int] | ColumnElement[Any]) -> Condition:
    """The vehicle's last known place is in one of these cells."""
    return vehicle.c.grid_cell == func.any(cast(cells, ARRAY(Integer)))


def _is_across(box: Box) -> bool:
    return box.west > box.east


def _in_box(box: Box, *, across: bool) -> Condition:
    east, west = box.east >= _LONGITUDE, box.west <= _LONGITUDE
    between = or_(east, west) if across else and_(east, west)
    return and_(_LATITUDE.between(box.south, box.north), between)


def _near(circle: Circle) -> Condition:
    """The distance along a sphere. Most vehicles are ruled out by their latitude alone."""
    here, there = cast(circle.latitude, Double), cast(circle.longitude, Double)
    away = func.degrees(cast(circle.km, Double) / EARTH_RADIUS_KM) + 1e-9
    # To divide by two SQLAlchemy would make it a `numeric`, and all that it divides, row by row.
    north, east = (_LATITUDE - here) * 0.5, (_LONGITUDE - there) * 0.5
    haversine = func.power(func.sind(north), 2) + func.cosd(_LATITUDE) * func.cosd(
        here
    ) * func.power(func.sind(east), 2)
    km = 2 * EARTH_RADIUS_KM * func.asin(func.sqrt(func.least(1.0, haversine)))
    return and_(_LATITUDE.between(here - away, here + away), km <= circle.km)


def _of_parameters(shape: type[Shape]) -> Any:
    """A shape of which each number is a parameter by its name."""
    numbers: list[Any] = [cast(bindparam(one.name), Double) for one in fields(shape)]
    return shape(*numbers)


IN_SHAPES = {
    "box": _in_box(_of_parameters(Box), across=False),
    "box across the antimeridian": _in_box(_of_parameters(Box), across=True),
    "circle": _near(_of_parameters(Circle)),
}
"""`in_shape` of any shape of a kind; its numbers are parameters by their names."""


def _each_word(connection: Connection, wanted: list[str]) -> list[Condition]:
    """A condition a word: it is found as it is, or with a typo if it is nowhere as it is."""
    asked = [_found([fragment(word)]) for word in wanted]
    forgiven = [i for i, word in enumerate(wanted) if typos(word)]
    if forgiven:
        anywhere = [select(vehicle.c.vin).where(in_use, asked[i]).exists() for i in forgiven]
        for i, is_found in zip(forgiven, connection.execute(select(*anywhere)).one(), strict=True):
            if not is_found:
                asked[i] = _begins_with_a_typo(wanted[i])
    return asked


def _begins_with_a_typo(word: str) -> Condition:
    """Half of the word is there as it is, which is quickly looked up, and then the whole nearly."""
    own = func.concat(" ", func.replace(vehicle.c.search_text, "=", " "))
    patterns, name = typos(word), func.concat(" ", customer.c.folded_name)
    customers = select(customer.c.customer_id).where(_like_any(name, patterns))
    found = and_(_like_any(vehicle.c.search_text, halves(word)), _like_any(own, patterns))
    return or_(found, vehicle.c.customer_id.in_(customers))


def _found(patterns: list[str]) -> Condition:
    """One of the patterns matches the vehicle's text, or its customer's name."""
    customers = select(customer.c.customer_id).where(_like_any(customer.c.folded_name, patterns))
    own = _like_any(vehicle.c.search_text, patterns)
    return or_(own, vehicle.c.customer_id.in_(customers))


def _like_any(text: ColumnElement[str], patterns: list[str]) -> Condition:
    return text.like(func.any(cast(patterns, ARRAY(Text))))
