"""The grid in which vehicles are found on a map: cells of a tenth of a degree. Pure."""

from __future__ import annotations

from math import floor

PER_DEGREE = 10
ROWS, COLUMNS = 180 * PER_DEGREE, 360 * PER_DEGREE


def cell_of(latitude: float, longitude: float) -> int:
    """The number of the cell that a place is in, row by row from the south-west.

    Each cell has its southern and western edges; the north pole and the 180th meridian are in the
    last ones, and what is no place on earth is in the nearest.
    """
    return _step(latitude, 90) * COLUMNS + _step(longitude, 180)


def _step(degrees: float, most: int) -> int:
    """How many cells from the edge of the map."""
    onto_earth = min(max(degrees, -most), most)
    return min(floor((onto_earth + most) * PER_DEGREE), 2 * most * PER_DEGREE - 1)
