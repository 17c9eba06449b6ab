"""A vehicle's tour: from its home out over some towns and the same way back, again and again.

Everything about a vehicle on its tour is a pure function of time, so a restarted simulator
carries on where the vehicle would have been.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import NamedTuple

from simulator.roads import NEIGHBOURS, Road, between
from simulator.speed import SpeedProfile, drive

EPOCH = 1_767_225_600.0
"""2026-01-01T00:00:00Z in seconds of Unix time: when the odometers were read."""

_TOWNS_OUT = (2, 5)
_STAND_S = (10 * 60.0, 45 * 60.0)
_ODOMETER_M = (50_000_000, 250_000_000)
_RANGE_KM = (800.0, 1_400.0)  # on a full tank
_REFUEL_BELOW = 0.4
_FULL = 0.95


class State(NamedTuple):
    """A vehicle at one instant; in the units of the names, `fuel_level` from 0 to 1."""

    latitude: float
    longitude: float
    heading_deg: float
    speed_kmh: float
    odometer_km: float
    fuel_level: float
    ignition: bool


class Leg(NamedTuple):
    """One road driven, then a while of standing at its end for loading, with ignition off."""

    road: Road
    backwards: bool
    profile: SpeedProfile
    stand_s: float
    departs_s: float  # after the tour's start
    before_m: int  # driven on this tour before this leg
    fuel_at_start: float
    fuel_at_arrival: float

    @property
    def ends_s(self) -> float:
        """When the stand is over, in seconds after the tour's start."""
        return self.departs_s + self.profile.duration_s + self.stand_s

    @property
    def after_m(self) -> int:
        """Driven on this tour by the end of this leg."""
        return self.before_m + self.road.length_m


class Tour:
    """The endless round of one vehicle, as its dice fall, from and to its home town."""

    def __init__(self, home: str, dice: Random) -> None:
        self._range_m = dice.uniform(*_RANGE_KM) * 1000
        self._legs = list(_legs(_towns(home, dice), self._range_m, dice))
        self._departures = [leg.departs_s for leg in self._legs]
        self._duration_s = self._legs[-1].ends_s
        self._length_m = self._legs[-1].after_m
        # Whole metres, as all lengths: so a standing vehicle's odometer does not move by rounding.
        self._odometer_m = dice.randint(*_ODOMETER_M)
        self._ahead_s = dice.uniform(0, self._duration_s)

    def at(self, t: float) -> State:
        """Say how the vehicle is at `t` (seconds of Unix time, since the epoch)."""
        tours, into = divmod(t - EPOCH + self._ahead_s, self._duration_s)
        number = bisect_right(self._departures, into) - 1
        leg = self._legs[number]
        driving = into - leg.departs_s
        standing = driving - leg.profile.duration_s
        if standing < 0:
            driven, speed = leg.profile.at(driving)
            fuel = leg.fuel_at_start - driven / self._range_m
        else:
            driven, speed = leg.road.length_m, 0.0
            refuelled = self._legs[(number + 1) % len(self._legs)].fuel_at_start
            fuel = leg.fuel_at_arrival + (refuelled - leg.fuel_at_arrival) * standing / leg.stand_s
        odometer_m = self._odometer_m + tours * self._length_m + leg.before_m + driven
        place = leg.road.at(driven, backwards=leg.backwards)
        return State(*place, speed * 3.6, odometer_m / 1000, fuel, ignition=standing < 0)


def _towns(home: str, dice: Random) -> list[str]:
    """Choose the towns of a tour: out by road without turning round, and the same way back."""
    out = [home]
    for _ in range(dice.randint(*_TOWNS_OUT)):
        onward = [town for town in NEIGHBOURS[out[-1]] if town not in out]
        if not onward:
            break
        out.append(dice.choice(onward))
    return [*out, *reversed(out[:-1])]


def _legs(towns: list[str], range_m: float, dice: Random) -> Iterator[Leg]:
    """Plan the drives and stops between these towns; the tank is full whenever the tour begins."""
    departs_s, before_m, fuel = 0.0, 0, _FULL
    for start, end in pairwise(towns):
        road, backwards = between(start, end)
        profile, stand_s = drive(road.length_m, dice), dice.uniform(*_STAND_S)
        arrival = fuel - road.length_m / range_m
        leg = Leg(road, backwards, profile, stand_s, departs_s, before_m, fuel, arrival)
        yield leg
        departs_s, before_m = leg.ends_s, leg.after_m
        fuel = _FULL if arrival < _REFUEL_BELOW else arrival
