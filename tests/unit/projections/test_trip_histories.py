"""Derived trips over arbitrary histories: in any order, repeated, cut anywhere, recomputed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from projections.trips.derivation import Derived, State, step, trips_of
from projections.trips.measure import Reading, distance_km, measure
from projections.trips.packed import packed, unpacked
from projections.trips.rules import TripRules
from projections.trips.vehicle import Followed

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
rules_of_customers = st.builds(
    TripRules,
    stop_after_s=st.sampled_from([60, 120, 300]),
    moving_above_kmh=st.sampled_from([0.5, 5, 30]),
    shortest_km=st.sampled_from([0, 0.2, 3]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Reading]:
    """A vehicle that drives and stands, says this or that, is silent, and reads a bad odometer."""
    maybe = st.sampled_from
    instant, km, odometer = 0, 0.0, 5.0
    heard: list[Reading] = []
    for _ in range(draw(st.integers(0, 30))):
        seconds = draw(maybe([1, 10, 30, 60, 61, 120, 300, 301, 1000]))
        kmh = draw(maybe([0, 0, 0, 3, 5, 20, 80]))
        instant += seconds
        km += kmh * seconds / 3600
        odometer = draw(maybe([odometer] * 20 + [0.0])) + kmh * seconds / 3600
        known = draw(st.booleans())
        heard.append(
            Reading(
                BEGIN + timedelta(seconds=instant),
                latitude=59 + km / 111 if known else None,
                longitude=17.6 if known else None,
                speed_kmh=draw(maybe([None, None, float(kmh)])),
                odometer_km=draw(maybe([None, odometer, odometer])),
                ignition=draw(maybe([None, None, True, kmh > 0])),
                accuracy_m=draw(maybe([None, None, 5.0, 400.0])),
            )
        )
    return heard


def _stepwise(heartbeats: list[Reading], rules: TripRules, state: State | None = None) -> Derived:
    state, finished = state or State(), []
    for one in heartbeats:
        state, ended = step(state, one, rules)
        finished += ended
    return Derived(finished, state.open)


@given(histories(), rules_of_customers, st.randoms(use_true_random=False))
def test_any_order_and_repetition(
    history: list[Reading],
    rules: TripRules,
    random: object,
) -> None:
    """Heartbeats that come late, or again, give the trips of those that came in time."""
    expected = _stepwise(history, rules)
    assert trips_of(history, rules) == expected
    shuffled = history + history[::2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert trips_of(shuffled, rules) == expected


@given(histories(), rules_of_customers, st.integers(0, 30))
def test_cut_anywhere(history: list[Reading], rules: TripRules, cut: int) -> None:
    """Who goes on from a state that was kept as JSON, or packed, finds the same trips."""
    state, finished = State(), []
    for one in history[:cut]:
        state, ended = step(state, one, rules)
        finished += ended
    kept = msgspec.json.decode(msgspec.json.encode(state), type=State)
    assert kept == state
    for one in (state, kept):
        vehicle = Followed("YS2R4X20005399401", state=one, since_checkpoint=cut)
        assert unpacked(vehicle.vin, packed(vehicle)) == vehicle
    rest = _stepwise(history[cut:], rules, kept)
    assert Derived(finished + rest.finished, rest.open) == _stepwise(history, rules)


@given(histories(), rules_of_customers)
def test_in_time_and_apart(history: list[Reading], rules: TripRules) -> None:
    """Trips follow each other, lie within what was heard, and measure what lies within them."""
    finished, open_ = trips_of(history, rules)
    instants = {one.recorded_at for one in history}
    for trip in finished:
        assert trip.started_at < trip.ended_at
        assert {trip.started_at, trip.ended_at} <= instants
        within = [one for one in history if trip.started_at <= one.recorded_at <= trip.ended_at]
        assert trip.measured == measure(within)
    assert all(one.ended_at < next_.started_at for one, next_ in pairwise(finished))
    if open_:
        assert all(trip.ended_at < open_.started_at for trip in finished)
        assert open_.way.measured() == measure(
            one for one in history if _tells(one) and one.recorded_at >= open_.started_at
        )


@given(histories(), rules_of_customers)
def test_the_obvious_recomputation(history: list[Reading], rules: TripRules) -> None:
    """Classified all at once, then cut into runs and searched, the trips are the same."""
    finished, open_ = trips_of(history, rules)
    spans = [(trip.started_at, trip.ended_at) for trip in finished]
    assert (spans, open_.started_at if open_ else None) == _Obvious(history, rules).trips()


def _tells(one: Reading) -> bool:
    nothing = (one.latitude, one.speed_kmh, one.odometer_km) == (None, None, None)
    return one.ignition is False or not nothing


class _Obvious:
    """All trips of a history, by looking at the whole of it again and again."""

    def __init__(self, history: list[Reading], rules: TripRules) -> None:
        self.all, self.rules = [one for one in history if _tells(one)], rules
        self.seconds = [(one.recorded_at - BEGIN).total_seconds() for one in self.all]
        self.moves = [self._moves(n) for n in range(len(self.all))]
        silent = [n for n in range(1, len(self.all)) if self._wait(n) > rules.stop_after_s]
        self.through = [n for n in silent if self._went_on(n)]
        self.broken = [n for n in silent if n not in self.through]

    def trips(self) -> tuple[list[tuple[datetime, datetime]], datetime | None]:
        """The spans of those that are over, and when the open one began."""
        found, free = [], 0
        while driving := [n for n in range(free, len(self.all)) if self.moves[n]]:
            first = driving[0]
            alone = first == 0 or self._wait(first) > self.rules.stop_after_s
            start = first if alone else first - 1
            until = min([n for n in self.broken if n > first], default=len(self.all))
            stops = [self._stop(n) for n in range(first, until) if self._stop(n)]
            if stops:
                end, free = min(stops)  # type: ignore[type-var]
            elif until < len(self.all):
                end, free = self._first_standing(until - 1), until
            else:
                return found, self.all[start].recorded_at
            if self._counts(start, end):
                found.append((self.all[start].recorded_at, self.all[end].recorded_at))
        return found, None

    def _stop(self, n: int) -> tuple[int, int] | None:
        """Where a stop begins that is long enough at `n`, and what is after it."""
        first = self._first_standing(n)
        long = self.seconds[n] - self.seconds[first] >= self.rules.stop_after_s
        return (first, n + 1) if long and not self.moves[n] else None

    def _first_standing(self, n: int) -> int:
        """The first of those that stand in a row until `n`; `n` itself if it moves."""
        while n and not self.moves[n] and not self.moves[n - 1]:
            if n in self.through or n in self.broken:
                break
            n -= 1
        return n

    def _counts(self, start: int, end: int) -> bool:
        way = measure(self.all[start : end + 1]).distance_km
        return start < end and (way is None or way >= self.rules.shortest_km)

    def _wait(self, n: int) -> float:
        return self.seconds[n] - self.seconds[n - 1]

    def _fast(self, km: float, since: int, n: int) -> bool:
        hours = (self.all[n].recorded_at - self.all[since].recorded_at) / timedelta(hours=1)
        return km / hours > self.rules.moving_above_kmh

    def _moves(self, n: int) -> bool:
        one = self.all[n]
        if one.ignition is False or one.speed_kmh is not None:
            return one.ignition is not False and one.speed_kmh > self.rules.moving_above_kmh
        km = self._driven(n)
        return (km is not None and km > 0.1 and self._fast(km, self._said(n), n)) or self._away(n)

    def _went_on(self, n: int) -> bool:
        if self.all[n - 1].ignition is False:
            return False
        km = self._driven(n)
        return self._fast(km, self._said(n), n) if km is not None and km >= 0 else self._away(n)

    def _driven(self, n: int) -> float | None:
        """How far the odometer is beyond the heartbeat that it is compared with."""
        since, now = self._said(n), self.all[n].odometer_km
        return None if since is None or now is None else now - self.all[since].odometer_km  # type: ignore[operator]

    def _said(self, n: int) -> int | None:
        """The odometer before `n` to compare with: each until it is a minute old or stands out."""
        kept: int | None = None
        for k in (k for k in range(n) if self.all[k].odometer_km is not None):
            km = 0 if kept is None else self.all[k].odometer_km - self.all[kept].odometer_km  # type: ignore[operator]
            if kept is None or km > 0.1 or km < 0 or self.seconds[k] - self.seconds[kept] >= 60:
                kept = k
        return kept

    def _away(self, n: int) -> bool:
        """Whether the place is notably another than that of the heartbeat it is compared with."""
        kept: int | None = None
        for k in (k for k in range(n) if self.all[k].place):
            minute = kept is not None and self.seconds[k] - self.seconds[kept] >= 60
            if kept is None or minute or self.all[k].speed_kmh is not None or self._apart(kept, k):
                kept = k
        return kept is not None and (km := self._apart(kept, n)) > 0 and self._fast(km, kept, n)

    def _apart(self, one: int, other: int) -> float:
        both = [self.all[one], self.all[other]]
        if not (both[0].place and both[1].place):
            return 0.0
        km = distance_km(both[0].place, both[1].place)
        return km if km * 1000 > max(x.accuracy_m or 50.0 for x in both) else 0.0
