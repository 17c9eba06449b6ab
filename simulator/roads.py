"""Roads between towns: a geodesic with a smooth wiggle, the same for all who drive it."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from math import atan, cos, degrees, pi, sin
from typing import NamedTuple

from pyproj import Geod

from simulator.towns import LINKS, TOWNS, Town

_EARTH = Geod(ellps="WGS84")
# Each ripple: how long one wave is about (metres), and how far it turns the road at most (slope).
_RIPPLES = ((22_000.0, 0.20), (9_000.0, 0.10))
# A wave of slope m makes its road longer by about m²/4 (mean of √(1 + y'²) - 1, to second order).
_STRETCH = 1 + sum(slope**2 for _, slope in _RIPPLES) / 4


class Place(NamedTuple):
    """A point of a road, in degrees (WGS 84), and the heading of one who drives there, 0 to 360."""

    latitude: float
    longitude: float
    heading_deg: float


class Road:
    """One road from `start` to `end`.

    `length_m`, in whole metres, is what an odometer counts. Distance driven and distance on the
    ground differ by less than 5 % over any stretch: the wiggle is counted by its mean, not bend by
    bend.
    """

    length_m: int

    def __init__(self, start: Town, end: Town) -> None:
        self.start, self.end = start, end
        self._azimuth, _, self._straight_m = _EARTH.inv(
            start.longitude, start.latitude, end.longitude, end.latitude
        )
        self.length_m = round(self._straight_m * _STRETCH)
        # Whole waves, so that the wiggle is nought in both towns.
        self._ripples = tuple(
            (2 * pi * max(1, round(self._straight_m / wave)) / self._straight_m, slope)
            for wave, slope in _RIPPLES
        )

    def at(self, driven_m: float, *, backwards: bool = False) -> Place:
        """Where a vehicle is that has driven `driven_m` metres of it (from `end` if backwards)."""
        if backwards:
            ahead = self.at(self.length_m - driven_m)
            return ahead._replace(heading_deg=(ahead.heading_deg + 180) % 360)
        along = driven_m / self.length_m * self._straight_m
        aside = sum(slope / k * sin(k * along) for k, slope in self._ripples)
        turn = degrees(atan(sum(slope * cos(k * along) for k, slope in self._ripples)))
        longitude, latitude, back = _EARTH.fwd(
            self.start.longitude, self.start.latitude, self._azimuth, along
        )
        azimuth = back + 180
        longitude, latitude, _ = _EARTH.fwd(longitude, latitude, azimuth + 90, aside)
        return Place(latitude, longitude, (azimuth + turn) % 360)


@cache
def between(start: str, end: str) -> tuple[Road, bool]:
    """Give the road from one town of the table to its neighbour, and whether that is backwards."""
    if (start, end) in LINKS:
        return Road(TOWNS[start], TOWNS[end]), False
    drawn, _ = between(end, start)
    return drawn, True


def _neighbours() -> Mapping[str, tuple[str, ...]]:
    joined = defaultdict[str, list[str]](list)
    for one, other in LINKS:
        joined[one].append(other)
        joined[other].append(one)
    return {town: tuple(others) for town, others in joined.items()}


NEIGHBOURS = _neighbours()
"""Each town's neighbours by road; the order is that of the table, so a seeded choice is stable."""
