"""Trips by heartbeats: readable cases. What holds for all histories is in test_trip_histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projections.trips.derivation import State, over_by, step, trips_of
from projections.trips.measure import Reading
from projections.trips.rules import TripRules

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
DEFAULT = TripRules()
KM_NORTH = 1 / 111.6  # degrees of latitude, hereabouts


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


def said(second: float, speed_kmh: float | None = None, **more: Any) -> Reading:
    return Reading(at(second), speed_kmh=speed_kmh, **more)


def north(second: float, km: float, **more: Any) -> Reading:
    """Somewhere on a meridian in Sweden."""
    return said(second, latitude=59 + km * KM_NORTH, longitude=17.6, **more)


def drive(start: int, end: int, kmh: float = 60, every: int = 10) -> list[Reading]:
    return [said(second, kmh) for second in range(start, end, every)]


def spans(heartbeats: list[Reading], rules: TripRules = DEFAULT) -> list[tuple[float, float]]:
    """The seconds between which its finished trips were."""
    return [
        ((trip.started_at - BEGIN).total_seconds(), (trip.ended_at - BEGIN).total_seconds())
        for trip in trips_of(heartbeats, rules).finished
    ]


def test_from_standing_to_standing() -> None:
    """A trip is from the last heartbeat that stood to the first that stands for five minutes."""
    there = [*drive(0, 100, 0), *drive(100, 700), *drive(700, 1100, 0)]
    assert spans(there) == [(90, 700)]
    assert trips_of(there, DEFAULT).open is None
    assert trips_of(there[:-11], DEFAULT).open is not None


@pytest.mark.parametrize("ignition", [None, True, False])
def test_a_red_light_ends_no_trip(*, ignition: bool | None) -> None:
    """Four minutes of standing are no stop, even with the engine off."""
    light = [said(second, 0, ignition=ignition) for second in range(300, 540, 10)]
    there = [*drive(0, 300), *light, *drive(540, 800), *drive(800, 1200, 0)]
    assert spans(there) == [(0, 800)]


def test_slower_than_the_threshold_is_standing() -> None:
    """In a yard that is walked through at 5 km/h, nothing drives; a customer may say otherwise."""
    there = [*drive(0, 600, 5), *drive(600, 1000, 0)]
    assert spans(there) == []
    assert spans(there, TripRules.of({"moving_above_kmh": 4.5})) == [(0, 600)]


def test_ignition_off_stands_whatever_the_speed() -> None:
    """On a car transporter a vehicle is fast and makes no trip."""
    carried = [north(n * 10, n / 5, speed_kmh=72, ignition=False) for n in range(60)]
    assert trips_of(carried, DEFAULT) == ([], None)


def test_a_ferry_ends_a_trip() -> None:
    """Silent for two hours with the odometer as it was: the vehicle went on, but did not drive."""
    before = [north(n * 10, n / 10, odometer_km=n / 10, speed_kmh=36) for n in range(60)]
    after = [
        north(7800 + n * 10, 60 + n / 10, odometer_km=5.9 + n / 10, speed_kmh=36) for n in range(60)
    ]
    stop = [north(8400 + n * 100, 66, odometer_km=11.8, speed_kmh=0) for n in range(5)]
    assert spans([*before, *after, *stop]) == [(0, 590), (7800, 8400)]


def test_a_tunnel_ends_no_trip() -> None:
    """Silent for ten minutes, and 12 km farther by the odometer or the place: it drove on."""
    for told in ("odometer_km", "place"):
        there = []
        for second in [*range(0, 300, 10), *range(900, 1200, 10), *range(1200, 1600, 10)]:
            km = min(second, 1200) / 50
            speed = 72 if second < 1200 else 0
            there.append(
                said(second, speed, odometer_km=km)
                if told == "odometer_km"
                else north(second, km, speed_kmh=speed)
            )
        assert spans(there) == [(0, 1200)], told


def test_silence_without_a_word_of_the_way_ends_a_trip() -> None:
    """Nobody knows what was between: two trips, and the first ends where it was last heard."""
    assert spans([*drive(0, 300), *drive(900, 1200), *drive(1200, 1600, 0)]) == [
        (0, 290),
        (900, 1200),
    ]


def test_who_stood_before_silence_ended_its_trip_there() -> None:
    """The device sleeps once the ignition is off: the trip ended when it went off."""
    parked = [said(300, 0, ignition=False), said(310, 0, ignition=False)]
    assert spans([*drive(0, 300), *parked, *drive(9000, 9300)]) == [(0, 300)]


def test_who_only_says_here_i_am_neither_drives_nor_stands() -> None:
    """Bare heartbeats a minute between a report every ten: the trip is that of the reports."""
    reports = [said(second, 60, odometer_km=second / 60) for second in range(0, 3600, 600)]
    stop = [said(second, 0, odometer_km=60) for second in (3600, 3700, 3900)]
    bare = [said(second, ignition=True) for second in range(30, 7200, 60)]
    assert spans([*reports, *stop]) == spans([*reports, *stop, *bare]) == [(0, 3600)]
    assert trips_of(bare, DEFAULT) == ([], None)


def test_parked_and_towed() -> None:
    """Off before the silence and elsewhere after it: towed, not driven."""
    there = [north(n * 10, n / 5, speed_kmh=72) for n in range(30)]
    parked = [north(300, 6, ignition=False), north(900, 20, ignition=False)]
    assert spans([*there, *parked]) == [(0, 300)]


def test_a_wandering_gps_is_no_trip() -> None:
    """Ten hours of places up to 40 m off, and one that is 80 m off, are none."""
    jitter = [north(n * 10, (n * 7 % 5) / 100 + (0.08 if n == 1800 else 0)) for n in range(3600)]
    assert trips_of([*jitter, *drive(36000, 36400, 0)], DEFAULT).finished == []


@pytest.mark.parametrize("every", [1, 10, 60])
@pytest.mark.parametrize("told", ["odometer_km", "place"])
def test_without_speed(every: int, told: str) -> None:
    """A device that says no speed is seen to move by its odometer or its places, however often."""
    there = []
    for second in range(0, 2000, every):
        km = max(0, min(second, 1200) - 300) / 80  # 45 km/h
        there.append(said(second, odometer_km=km) if told == "odometer_km" else north(second, km))
    ((start, end),) = spans(there)
    assert 240 <= start <= 310
    assert 1190 <= end <= 1260


def test_inaccurate_places_do_not_move() -> None:
    """A place that may be 500 m off says nothing by being 300 m away."""
    there = [north(n * 10, n % 2 * 0.3, accuracy_m=500) for n in range(100)]
    assert trips_of(there, DEFAULT) == ([], None)


def test_a_clock_that_jumps() -> None:
    """Heartbeats of 1970 and of the wrong hour are seen alone: the trip is as it was."""
    there = [*drive(0, 600), *drive(600, 1000, 0)]
    wrong = [Reading(datetime(1970, 1, 1, tzinfo=UTC), speed_kmh=60), said(8000, 60)]
    assert spans([*there, *wrong]) == [(0, 600)]


def test_shorter_than_the_shortest() -> None:
    """Moved to the next ramp, 100 m: no trip by default, one for a customer who counts all."""
    there = [
        said(0, 0, odometer_km=7),
        said(10, 20, odometer_km=7.05),
        said(20, 0, odometer_km=7.1),
    ]
    there += [said(second, 0, odometer_km=7.1) for second in range(30, 400, 10)]
    assert spans(there) == []
    assert spans(there, TripRules.of({"shortest_km": 0})) == [(0, 20)]


def test_silence_until_now() -> None:
    """Nothing heard for longer than five minutes: over, where it was last heard to drive."""
    heartbeats = [*drive(0, 300), said(300, 0)]
    open_ = trips_of(heartbeats, DEFAULT).open
    state = State()
    for one in heartbeats:
        state, _ = step(state, one, DEFAULT)
    assert state.open == open_
    assert over_by(state, at(600), DEFAULT) is None
    (trip,) = over_by(state, at(601), DEFAULT) or []
    assert (trip.started_at, trip.ended_at) == (at(0), at(300))
    assert over_by(State(), at(601), DEFAULT) is None


def test_a_step_back_is_refused() -> None:
    """Time goes on from step to step; who has a late heartbeat folds again."""
    state, _ = step(State(), said(10), DEFAULT)
    with pytest.raises(ValueError, match="not after"):
        step(state, said(10), DEFAULT)


def test_rules() -> None:
    """What a customer's rules do not name is the default."""
    assert TripRules.of(None) == DEFAULT == TripRules(300, 5.0, 0.2)
    assert TripRules.of({"stop_after_s": 60}) == TripRules(60, 5.0, 0.2)
