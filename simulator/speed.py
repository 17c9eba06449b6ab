"""How fast a vehicle drives along a road: accelerate, cruise, slow down, stop."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from random import Random

_ACCELERATION = 0.5  # m/s²: a loaded lorry's, and as gentle when it brakes
_TOWN_M = 3_000.0
_TOWN_KMH = 50.0
_CRUISE_KMH = (70.0, 90.0)
_CRUISE_M = (12_000.0, 40_000.0)
_ROADWORKS_KMH = (35.0, 55.0)
_ROADWORKS_M = (1_500.0, 3_000.0)
_ROADWORKS_SHARE = 0.15
_SHORTEST_M = 1_500.0  # long enough for the hardest change of speed, 90 to 35 km/h

Section = tuple[float, float]
"""Metres, and the speed to drive them at in km/h."""


class SpeedProfile:
    """Speed over time, in straight pieces; the distance is its exact integral.

    Takes knots of time (seconds from 0, rising) and speed (m/s).
    """

    def __init__(self, knots: Iterable[tuple[float, float]]) -> None:
        times, speeds = zip(*knots, strict=True)
        self._times: array[float] = array("d", times)
        self._speeds: array[float] = array("d", speeds)
        self._distances = array("d", [0.0])
        pieces = zip(pairwise(self._times), pairwise(self._speeds), strict=True)
        for (begun, ended), (slower, faster) in pieces:
            driven = (slower + faster) / 2 * (ended - begun)
            self._distances.append(self._distances[-1] + driven)

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the stop."""
        return self._times[-1]

    def at(self, elapsed_s: float) -> tuple[float, float]:
        """Metres driven and speed in m/s, `elapsed_s` seconds (0 to duration) after the start."""
        piece = min(bisect_right(self._times, elapsed_s), len(self._times) - 1) - 1
        into = elapsed_s - self._times[piece]
        lasts = self._times[piece + 1] - self._times[piece]
        speed = self._speeds[piece]
        gained = (self._speeds[piece + 1] - speed) * into / lasts
        # Its last breath before standing may be rounded to less than nothing.
        return self._distances[piece] + (speed + gained / 2) * into, max(0.0, speed + gained)


def drive(length_m: float, dice: Random) -> SpeedProfile:
    """Plan a drive of exactly `length_m` metres (at least 10 km), from standing to standing."""
    return SpeedProfile(_knots(_sections(length_m, dice)))


def _sections(length_m: float, dice: Random) -> Iterator[Section]:
    """Cut a drive into sections: out of town, cruising with roadworks now and then, into town."""
    yield _TOWN_M, _TOWN_KMH
    left = length_m - 2 * _TOWN_M
    while left > 0:
        roadworks = dice.random() < _ROADWORKS_SHARE
        metres = dice.uniform(*(_ROADWORKS_M if roadworks else _CRUISE_M))
        if left - metres < _SHORTEST_M:
            metres = left
        yield metres, dice.uniform(*(_ROADWORKS_KMH if roadworks else _CRUISE_KMH))
        left -= metres
    yield _TOWN_M, _TOWN_KMH


def _knots(sections: Iterable[Section]) -> Iterator[tuple[float, float]]:
    """Turn sections into knots of time and speed; each change of speed begins its section."""
    time = speed = 0.0
    yield time, speed
    *moving, (last_m, last_kmh) = sections
    for metres, kmh in (*moving, (last_m - _stopping_m(last_kmh / 3.6), last_kmh)):
        before, speed = speed, kmh / 3.6
        change_s = abs(speed - before) / _ACCELERATION
        time += change_s
        yield time, speed
        time += (metres - (before + speed) / 2 * change_s) / speed
        yield time, speed
    yield time + speed / _ACCELERATION, 0.0


def _stopping_m(speed: float) -> float:
    """Metres it takes to stop from `speed` (m/s): v²/2a."""
    return speed**2 / (2 * _ACCELERATION)
