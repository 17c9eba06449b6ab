"""The grid in which vehicles are found on a map: cells of a fifth of a degree. Pure."""

from __future__ import annotations

PER_DEGREE = 5
ROWS, COLUMNS = 180 * PER_DEGREE, 360 * PER_DEGREE


def cell_of(latitude: float, longitude: float) -> int:
    """The number of the cell that a place is in, row by row from the south-west.

    Each cell has its southern and western edges; the north pole and the 180th meridian are in the
    last ones, and what is no place on earth is in the nearest.
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 # degrees
        latitude, longitude = min(max(latitude, -90), 90), min(max(longitude, -180), 180)
    row, column = int((latitude + 90) * PER_DEGREE), int((longitude + 180) * PER_DEGREE)
    return min(row, ROWS - 1) * COLUMNS + min(column, COLUMNS - 1)
