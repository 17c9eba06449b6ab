"""The grid of cells on a map."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.customer_vehicles.cells import COLUMNS, PER_DEGREE, ROWS, cell_of


@pytest.mark.parametrize(
    ("latitude", "longitude", "row", "column"),
    [
        (-90, -180, 0, 0),
        (0, 0, 450, 900),
        (59.25, 17.65, 746, 988),
        (90, 180, 899, 1799),
        (1e308, -1e308, 899, 0),
    ],
)
def test_the_cell_of_a_place(latitude: float, longitude: float, row: int, column: int) -> None:
    """Rows from the south, columns from the west; the outermost edges are in the last ones."""
    assert cell_of(latitude, longitude) == row * COLUMNS + column


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
def test_every_place_is_in_its_cell(latitude: float, longitude: float) -> None:
    """A place is between the edges of its cell."""
    row, column = divmod(cell_of(latitude, longitude), COLUMNS)
    assert row in range(ROWS)
    assert row / PER_DEGREE <= latitude + 90 <= (row + 1) / PER_DEGREE
    assert column / PER_DEGREE <= longitude + 180 <= (column + 1) / PER_DEGREE
