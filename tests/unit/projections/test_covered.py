"""The cells of a shape: none is missed, and only at the edge is a place to be looked up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.customer_vehicles.cells import COLUMNS, cell_of
from projections.vehicle_search import predicate
from projections.vehicle_search.covered import covered_by, numbers
from projections.vehicle_search.model import Box, Circle

if TYPE_CHECKING:
    from projections.vehicle_search.covered import Block
    from projections.vehicle_search.model import Shape

_tenths = st.integers(-1800, 1800).map(lambda tenths: tenths / 10)
LONGITUDES = st.floats(-180, 180) | _tenths
LATITUDES = st.floats(-90, 90) | _tenths.map(lambda degrees: degrees / 2)
AWAY = st.floats(-1.5, 1.5)


def _is_in(cell: int, blocks: list[Block]) -> bool:
    row, column = divmod(cell, COLUMNS)
    return any(one.bottom <= row <= one.top and one.west <= column <= one.east for one in blocks)


def _check(shape: Shape, latitude: float, longitude: float) -> None:
    place: Any = SimpleNamespace(latitude=latitude, longitude=longitude)
    is_in = predicate.in_box if isinstance(shape, Box) else predicate.near
    cell, covered = cell_of(latitude, longitude), covered_by(shape)
    if is_in(place, shape):  # type: ignore[operator] # each has its own
        assert _is_in(cell, covered.blocks)
    else:
        assert not _is_in(cell, covered.inside)


@given(st.tuples(LATITUDES, LATITUDES).map(sorted), LONGITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_a_box(
    latitudes: list[float], west: float, east: float, latitude: float, longitude: float
) -> None:
    """Any box, also across the antimeridian: its corners, and any place."""
    box = Box(west, latitudes[0], east, latitudes[1])
    for at in (latitude, *latitudes):
        for where in (longitude, west, east):
            _check(box, at, where)


@given(LATITUDES, LONGITUDES, st.floats(0.1, 20_040), AWAY, AWAY)
def test_a_circle(latitude: float, longitude: float, km: float, north: float, east: float) -> None:
    """Any circle, also around a pole or nearly all of the earth: places about its edge."""
    reach = km / 111
    at = min(90.0, max(-90.0, latitude + reach * north))
    _check(Circle(latitude, longitude, km), at, (longitude + reach * east + 180) % 360 - 180)


@pytest.mark.parametrize(
    ("shape", "inside", "edge", "looked_up"),
    [
        (Box(-180, -90, 180, 90), 1, 0, 0),
        (Box(-180, 59.1, 180, 59.7), 1, 2, 3_600),
        (Box(17.1, 59.1, 17.7, 59.7), 1, 4, 12),
        (Box(179.9, 0.1, -179.9, 0.3), 0, 2, 4),
        (Circle(59.33, 18.07, 0.1), 0, 1, 1),
        (Circle(0, 0, 20_040), 1, 0, 0),
    ],
)
def test_rows_of_the_same_columns_are_one_block(
    shape: Shape, inside: int, edge: int, looked_up: int
) -> None:
    """So is the whole earth, and nothing in it is looked up."""
    covered = covered_by(shape)
    assert (len(covered.inside), len(covered.edge)) == (inside, edge)
    assert len(numbers(covered.edge)) == looked_up
