"""Which trips a vehicle made, by its heartbeats alone.

A pure fold over a vehicle's heartbeats by `recorded_at`. So what comes late, and thresholds that
change, are met by folding again. These are the rules:

- A heartbeat that says neither speed, odometer nor place, nor that the ignition is off, tells
  nothing of trips: it is as if it had not been heard.
- A heartbeat *moves* if its ignition is not off and it says a speed above the threshold. If it
  says no speed, it moves if the odometer grew by more than 100 m, or the place is farther away
  than its accuracy allows (50 m if not said), at a mean speed above the threshold; both since the
  heartbeat that it is compared with (`_compared_with_next`). What does not move *stands*.
- A *gap* is more than `stop_after_s` between two heartbeats. The vehicle *went on through* it if
  the ignition was not off before it, and from what was known before it the mean speed is above the
  threshold: by the odometer if that was said before and now and did not go back, else by places.
- A trip begins with a heartbeat that moves while there is none: at the heartbeat before it, unless
  there is a gap between the two, so that the way from where it stood belongs to it.
- It ends at the first of some heartbeats in a row that stand, once it has stood for
  `stop_after_s`. Before a gap through which the vehicle did not go on it ends at the first of the
  last ones that stand, or if it was moving, at the last one heard.
- A trip that began and ended with the same heartbeat is none, nor is one that is known to be
  shorter than `shortest_km`.

So a red light, with the engine off or on, ends no trip; who is parked with the ignition off and
carried away by a ferry makes none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from projections.trips.measure import Measured, Reading, Way, distance_km

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.trips.rules import TripRules

_NOTABLE_KM = 0.1
_ACCURACY_M = 50.0
_REMEMBERED = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class DerivedTrip(NamedTuple):
    """A trip that is over. Both instants are heartbeats' own, and `measured` includes both."""

    started_at: datetime
    ended_at: datetime
    measured: Measured


class TripUnderWay(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A trip that is not over, as far as was heard."""

    way: Way
    """All its heartbeats so far."""

    stood: Way | None = None
    """Its heartbeats until it began to stand, if it stands; here it ends if it stands on."""

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.way.since


class State(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What must be remembered of a vehicle between two heartbeats. It can be kept as JSON."""

    last: Reading | None = None
    """The newest heartbeat."""

    told: Reading | None = None
    """The newest of those that tell anything of trips."""

    odometer: Reading | None = None
    """Of those that said the odometer, the one that the next is compared with."""

    place: Reading | None = None
    """Of those that said where it was, the one that the next is compared with."""

    open: TripUnderWay | None = None


class Derived(NamedTuple):
    """All trips of a vehicle: those that are over, by time, and the one that is not."""

    finished: list[DerivedTrip]
    open: TripUnderWay | None


def step(state: State, heartbeat: Reading, rules: TripRules) -> tuple[State, list[DerivedTrip]]:
    """What is to be remembered after the next heartbeat, and the trips that are over by it.

    Raises `ValueError` if the heartbeat is not newer than the last one.
    """
    if state.last and heartbeat.recorded_at <= state.last.recorded_at:
        raise ValueError(f"{heartbeat.recorded_at} is not after {state.last.recorded_at}")
    if not heartbeat.tells_of_trips:
        return replace(state, last=heartbeat), []
    last, trip = state.told, state.open
    gap = last is not None and heartbeat.recorded_at - last.recorded_at > _stop_after(rules)
    finished: list[DerivedTrip] = []
    if trip and gap:
        if _went_on(state, heartbeat, rules):
            trip = TripUnderWay(trip.way)
        else:
            finished, trip = _ended(trip, rules), None
    moves = _moves(state, heartbeat, rules)
    if trip:
        trip = _extended(trip, heartbeat, moves=moves)
        if trip.stood and trip.way.until - trip.stood.until >= _stop_after(rules):
            finished, trip = _ended(trip, rules), None
    elif moves:
        way = Way.begin(heartbeat) if last is None or gap else Way.begin(last).on(heartbeat)
        trip = TripUnderWay(way)
    return State(heartbeat, heartbeat, *_compared_with_next(state, heartbeat), trip), finished


def trips_of(heartbeats: Iterable[Reading], rules: TripRules) -> Derived:
    """All trips of a vehicle, by all its heartbeats in any order, however often repeated.

    Of several heartbeats of one instant the first counts, as in the log.
    """
    by_instant: dict[datetime, Reading] = {}
    for one in heartbeats:
        by_instant.setdefault(one.recorded_at, one)
    state = State()
    finished: list[DerivedTrip] = []
    for _, one in sorted(by_instant.items()):
        state, ended = step(state, one, rules)
        finished += ended
    return Derived(finished, state.open)


def over_by(state: State, now: datetime, rules: TripRules) -> list[DerivedTrip] | None:
    """The open trip, if it is over because nothing else was heard until `now`; else None.

    It is a list of one or none: what is too short is over, and no trip. A heartbeat that is heard
    later may still say that the vehicle went on: then the trip is open again.
    """
    if state.open is None:
        return None
    silent = now - state.open.way.until > _stop_after(rules)
    return _ended(state.open, rules) if silent else None


def _stop_after(rules: TripRules) -> timedelta:
    return _seconds(rules.stop_after_s)


@lru_cache
def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _extended(trip: TripUnderWay, heartbeat: Reading, *, moves: bool) -> TripUnderWay:
    way = trip.way.on(heartbeat)
    return TripUnderWay(way, None if moves else trip.stood or way)


def _ended(trip: TripUnderWay, rules: TripRules) -> list[DerivedTrip]:
    way = trip.stood or trip.way
    measured = way.measured()
    short = measured.distance_km is not None and measured.distance_km < rules.shortest_km
    if short or way.since == way.until:
        return []
    return [DerivedTrip(way.since, way.until, measured)]


def _moves(state: State, heartbeat: Reading, rules: TripRules) -> bool:
    if heartbeat.ignition is False:
        return False
    if heartbeat.speed_kmh is not None:
        return heartbeat.speed_kmh > rules.moving_above_kmh
    driven = _driven_km(state.odometer, heartbeat) or 0.0
    return (
        driven > _NOTABLE_KM and _above(driven, state.odometer, heartbeat, rules)
    ) or _is_elsewhere(state.place, heartbeat, rules)


def _went_on(state: State, heartbeat: Reading, rules: TripRules) -> bool:
    if state.told and state.told.ignition is False:
        return False
    driven = _driven_km(state.odometer, heartbeat)
    if driven is not None and driven >= 0:
        return _above(driven, state.odometer, heartbeat, rules)
    return _is_elsewhere(state.place, heartbeat, rules)


def _is_elsewhere(since: Reading | None, heartbeat: Reading, rules: TripRules) -> bool:
    away = _away_km(since, heartbeat)
    return away is not None and _above(away, since, heartbeat, rules)


def _driven_km(since: Reading | None, now: Reading) -> float | None:
    if since is None or since.odometer_km is None or now.odometer_km is None:
        return None
    return now.odometer_km - since.odometer_km


def _away_km(since: Reading | None, now: Reading) -> float | None:
    """How far off the place is, if farther than both accuracies allow."""
    if since is None or since.place is None or now.place is None:
        return None
    away = distance_km(since.place, now.place)
    allowed = max(_ACCURACY_M if one.accuracy_m is None else one.accuracy_m for one in (since, now))
    return away if away * 1000 > allowed else None


def _above(km: float, since: Reading | None, now: Reading, rules: TripRules) -> bool:
    if since is None:
        return False
    hours = (now.recorded_at - since.recorded_at) / _HOUR
    return km / hours > rules.moving_above_kmh


def _compared_with_next(state: State, heartbeat: Reading) -> tuple[Reading | None, Reading | None]:
    """With which heartbeats the next one's odometer and place are compared.

    Not always with the one just before: at a heartbeat a second nobody goes as far as a GPS
    wanders. So a heartbeat is kept until something stands out from it, but at most a minute.
    """
    odometer, place = state.odometer, state.place
    driven = _driven_km(odometer, heartbeat)
    if heartbeat.odometer_km is not None and (
        driven is None or not 0 <= driven <= _NOTABLE_KM or _is_old(odometer, heartbeat)
    ):
        odometer = heartbeat
    if heartbeat.says_place and (
        heartbeat.speed_kmh is not None
        or _is_old(place, heartbeat)
        or _away_km(place, heartbeat) is not None
    ):
        place = heartbeat
    return odometer, place


def _is_old(since: Reading | None, now: Reading) -> bool:
    return since is None or now.recorded_at - since.recorded_at >= _REMEMBERED
