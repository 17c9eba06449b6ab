"""Which cells of the grid a rectangle or a circle covers: those inside it, and those at its edge.

It is pure. Of a cell inside, every place is in the shape; of one at the edge it must be looked up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from projections.customer_vehicles.cells import COLUMNS, PER_DEGREE, ROWS, cell_of
from projections.vehicle_search.model import EARTH_RADIUS_KM, Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from projections.vehicle_search.model import Circle, Shape

    _StepOf = Callable[[float], int]

_MARGIN = 1e-5
"""In degrees: cosines of small angles are not exact. What is that near the edge is looked up."""

Stretch = tuple[int, int]
"""From one number to another, both included."""


class Block(NamedTuple):
    """Cells by their rows and columns, the outermost included."""

    bottom: int
    top: int
    west: int
    east: int


class Covered(NamedTuple):
    """The cells of a shape, as few blocks as they are: those inside it, and those at its edge."""

    inside: list[Block]
    edge: list[Block]

    @property
    def blocks(self) -> list[Block]:
        """Of all its cells."""
        return [*self.inside, *self.edge]

    @property
    def cells(self) -> int:
        """How many there are."""
        return sum(
            (block.top - block.bottom + 1) * (block.east - block.west + 1) for block in self.blocks
        )


def numbers(blocks: Iterable[Block]) -> list[int]:
    """Those of the cells in some blocks."""
    return [
        row * COLUMNS + column
        for block in blocks
        for row in range(block.bottom, block.top + 1)
        for column in range(block.west, block.east + 1)
    ]


class _Row(NamedTuple):
    """The columns of a row: those that the shape touches, and those wholly inside it."""

    touched: list[Stretch]
    inside: list[Stretch]


def covered_by(shape: Shape) -> Covered:
    """The cells of a shape."""
    rows = [*(_of_box(shape) if isinstance(shape, Box) else _of_circle(shape))]
    return Covered(
        inside=_blocks((number, row.inside) for number, row in rows),
        edge=_blocks((number, [*_without(row.touched, row.inside)]) for number, row in rows),
    )


def _blocks(rows: Iterable[tuple[int, list[Stretch]]]) -> list[Block]:
    """Rows one after the other: one that has the columns of that before it is of its blocks."""
    blocks: list[Block] = []
    before: list[Stretch] = []
    for number, columns in rows:
        if columns and columns == before:
            count = len(columns)
            blocks[-count:] = [one._replace(top=number) for one in blocks[-count:]]
        else:
            blocks += [Block(number, number, first, last) for first, last in columns]
        before = columns
    return blocks


def _of_box(box: Box) -> Iterator[tuple[int, _Row]]:
    (bottom, top), inside = _steps(box.south, box.north, _row_of, 90)
    columns = _columns(box.west, box.east)
    for row in range(bottom, top + 1):
        is_inside = inside[0] <= row <= inside[1]
        yield row, _Row(columns.touched, columns.inside if is_inside else [])


def _of_circle(circle: Circle) -> Iterator[tuple[int, _Row]]:
    reach = math.degrees(_angle(circle)) + _MARGIN
    bottom = _row_of(max(-90.0, circle.latitude - reach))
    top = _row_of(min(90.0, circle.latitude + reach))
    for row in range(bottom, top + 1):
        south = max(-90.0, row / PER_DEGREE - 90 - _MARGIN)
        north = min(90.0, (row + 1) / PER_DEGREE - 90 + _MARGIN)
        widths = [_half_width(circle, at) for at in (south, north, *_widest(circle, south, north))]
        touched = _around(circle.longitude, max(widths) + _MARGIN).touched
        yield row, _Row(touched, _around(circle.longitude, min(widths) - _MARGIN).inside)


def _angle(circle: Circle) -> float:
    """Its radius, in radians; half around the earth is all of it."""
    return min(circle.km / EARTH_RADIUS_KM, math.pi)


def _half_width(circle: Circle, latitude: float) -> float:
    """How many degrees of longitude the circle reaches to both sides at a latitude.

    None is -1, and all around is more than half around.
    """
    here, there = math.radians(circle.latitude), math.radians(latitude)
    beyond = math.cos(_angle(circle)) - math.sin(here) * math.sin(there)
    across = math.cos(here) * math.cos(there)
    if abs(beyond) >= across:
        return 360.0 if beyond < 0 else -1.0
    return math.degrees(math.acos(beyond / across))


def _widest(circle: Circle, south: float, north: float) -> list[float]:
    """Where between two latitudes the circle is wider, or narrower, than at both of them."""
    flat = math.cos(_angle(circle))
    sine = math.sin(math.radians(circle.latitude))
    if abs(sine) >= abs(flat):
        return []
    latitude = math.degrees(math.asin(sine / flat))
    return [latitude] if south < latitude < north else []


def _around(longitude: float, width: float) -> _Row:
    if width < 0:
        return _Row([], [])
    if width >= 180:  # noqa: PLR2004 # degrees
        return _columns(-180.0, 180.0)
    west, east = longitude - width, longitude + width
    return _columns(west + 360 * (west < -180), east - 360 * (east > 180))  # noqa: PLR2004


def _columns(west: float, east: float) -> _Row:
    """With `west > east` across the antimeridian."""
    parts = [(west, east)] if west <= east else [(-180.0, east), (west, 180.0)]
    steps = [_steps(low, high, _column_of, 180) for low, high in parts]
    inside = [one for _, one in steps if one[0] <= one[1]]
    return _Row(_joined(one for one, _ in steps), inside)


def _steps(low: float, high: float, step_of: _StepOf, most: int) -> tuple[Stretch, Stretch]:
    """The steps from one edge to the other, and those wholly between: at the map's edge, too.

    Steps begin at their lower edge: the first is inside if the shape begins just there.
    """
    first, last = step_of(low), step_of(high)
    is_whole = low <= -most or step_of(math.nextafter(low, -math.inf)) < first
    return (first, last), (first + (not is_whole), last - (high < most))


def _row_of(latitude: float) -> int:
    return min(cell_of(latitude, -180.0) // COLUMNS, ROWS - 1)


def _column_of(longitude: float) -> int:
    return cell_of(-90.0, longitude)


def _without(some: list[Stretch], others: list[Stretch]) -> Iterator[Stretch]:
    """What is left of some stretches; the others are parts of them, and both are in order."""
    for first, last in some:
        begin = first
        for one in others:
            if first <= one[0] <= last:
                if begin < one[0]:
                    yield begin, one[0] - 1
                begin = one[1] + 1
        if begin <= last:
            yield begin, last


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """As few as they can be; they come by where they begin."""
    joined: list[Stretch] = []
    for first, last in stretches:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined
