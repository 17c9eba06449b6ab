"""Nobody is declared silent because the tracker is behind; who is silent is, all the same."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    VehicleConnected,
    VehicleDisconnected,
)
from vehicle_tracker.domain.values import from_microseconds
from write_service.connection_rule import SECOND, Watch
from write_service.lateness import FEWEST, MOST_S, WINDOW, Lateness
from write_service.watched_fleet import Fleet, Watched

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 40
ROUND = 2 * SECOND
VINS = [f"YS2R4X2000{n:07d}" for n in range(60)]
"""Each sends once a round, so three hundred heartbeats arrive in a window."""

BEGAN = 1_000_000 * SECOND
MOST = 1_000_000
HISTORIES = 40


class Heard(NamedTuple):
    """A heartbeat, in microseconds."""

    vin: str
    recorded: int
    received: int


def _traffic(
    seconds: int, late_s: Callable[[float], float], silent: frozenset[str] = frozenset()
) -> list[Heard]:
    """What a fleet sends for so long, but for the silent, by how late it is when it is received.

    `late_s` is told when a heartbeat was recorded, in seconds since the beginning.
    """
    heard = []
    for number in range(seconds * SECOND // ROUND * len(VINS)):
        after = number * ROUND // len(VINS)
        vin = VINS[number % len(VINS)]
        if vin not in silent:
            received = BEGAN + after + int(late_s(after / SECOND) * SECOND)
            heard.append(Heard(vin, BEGAN + after, received))
    return sorted(heard, key=lambda one: one.received)


def _fold(heard: list[Heard]) -> Fleet:
    fleet = Fleet(LIMIT_S)
    for one in heard:
        fleet.heard(*one)
    return fleet


def _silent(events: list[ConnectionEvent]) -> list[VehicleDisconnected]:
    return [one for one in events if isinstance(one, VehicleDisconnected)]


def _kept(fleet: Fleet) -> Fleet:
    """A fleet as a checkpoint gives it back."""
    vehicles = msgspec.msgpack.encode(list(fleet.vehicles.values()))
    lateness = msgspec.msgpack.encode(fleet.lateness)
    again = Fleet(LIMIT_S)
    again.restore(
        msgspec.msgpack.decode(vehicles, type=list[Watched]),
        {},
        msgspec.msgpack.decode(lateness, type=Lateness),
    )
    return again


@st.composite
def histories(draw: st.DrawFn) -> list[Heard]:
    """A fleet that gets late and catches up, at once or by and by; some of it fall silent."""
    phases = draw(
        st.lists(
            st.tuples(
                st.integers(5, 40),
                st.one_of(st.just(0), st.integers(0, 3 * LIMIT_S)),
                st.booleans(),
                st.integers(0, len(VINS)),
            ),
            min_size=1,
            max_size=5,
        )
    )
    heard: list[Heard] = []
    shift = before = 0
    for seconds, late, at_once, silent in phases:
        first, rises = (late, 0) if at_once else (before, late - before)
        slope = rises / seconds
        some = _traffic(seconds, lambda at, f=first, s=slope: f + s * at, frozenset(VINS[:silent]))
        heard += [Heard(vin, at + shift, received + shift) for vin, at, received in some]
        shift += seconds * SECOND
        before = late
    return sorted(heard, key=lambda one: one.received)


@settings(max_examples=HISTORIES, deadline=None)
@given(histories(), st.data())
def test_it_does_not_matter_when_a_monitor_ran_or_began(
    history: list[Heard], data: st.DataObject
) -> None:
    """It judged all the time, or went on from what was kept, or woke at the end: same events."""
    end = history[-1].received + 4 * LIMIT_S * SECOND if history else BEGAN
    often = st.sets(st.integers(0, max(0, len(history) - 1)), max_size=12)
    looks, restarts = data.draw(often), data.draw(often)
    woke = _fold(history)
    woke.passed(end, MOST)

    live = Fleet(LIMIT_S)
    log: list[Heard | ConnectionEvent] = []
    appended: list[ConnectionEvent] = []
    judged = 0

    def append() -> None:
        log.extend(live.told)
        appended.extend(live.told)
        live.told = []

    for number, one in enumerate(history):
        if number in looks:
            live.passed(one.received, MOST)
            assert live.lateness.judged(one.received) >= judged
            judged = live.lateness.judged(one.received)
            append()
        if number in restarts:
            live = _kept(live)
        log.append(one)
        live.heard(*one)
        append()
    live.passed(end, MOST)
    append()
    assert set(appended) == set(woke.told)
    assert len(appended) == len({(one.vin, one.version) for one in appended})

    replay = Fleet(LIMIT_S)
    for entry in log:
        if isinstance(entry, Heard):
            replay.heard(*entry)
        else:
            replay.noted(entry)
    replay.passed(end, MOST)
    assert set(replay.told) == set(appended)
    assert replay.lateness == live.lateness == woke.lateness


@settings(max_examples=HISTORIES, deadline=None)
@given(st.integers(40, 100), st.integers(0, 300))
def test_a_fleet_that_is_late_altogether_gets_no_verdicts(taken: int, overloaded_s: int) -> None:
    """The tracker takes so many % of what comes, then all: it is behind, and nobody is silent."""

    def late_s(at: float) -> float:
        return min(at, overloaded_s) * (100 / taken - 1)

    fleet = Fleet(LIMIT_S)
    for one in _traffic(overloaded_s + 60, late_s):
        fleet.passed(one.received, MOST)
        fleet.heard(*one)
    assert {type(one) for one in fleet.told} == {VehicleConnected}
    assert len(fleet.told) == len(VINS)
    assert (late_s(overloaded_s) - 1) * SECOND <= fleet.lateness.late + WINDOW
    assert fleet.lateness.late <= late_s(overloaded_s) * SECOND


@pytest.mark.parametrize("late_s", [0, 3 * LIMIT_S, 30 * LIMIT_S])
def test_real_silence_is_declared_by_its_true_instant(late_s: int) -> None:
    """Behind by whatever, the one that sends no more is declared when the others are beyond it."""
    silent = VINS[7]
    fleet = Fleet(LIMIT_S)
    heard = [
        one
        for one in _traffic(late_s + 200, lambda at: min(at, late_s))
        if one.vin != silent or one.recorded <= BEGAN + (late_s + 100) * SECOND
    ]
    last = max(one.recorded for one in heard if one.vin == silent)
    declared = None
    for one in heard:
        fleet.heard(*one)
        fleet.passed(one.received, MOST)
        if declared is None and any(gone.vin == silent for gone in _silent(fleet.told)):
            declared = one.recorded
    assert declared is not None
    assert 0 < declared - (last + LIMIT_S * SECOND) < SECOND
    assert _silent(fleet.told) == [VehicleDisconnected(silent, from_microseconds(last), LIMIT_S)]


@settings(max_examples=HISTORIES, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=7), st.integers(1, 1_000))
def test_an_ordinary_fleet_is_judged_by_when_it_is_heard(late: list[bool], late_s: int) -> None:
    """While more than a tenth arrives in time, time passes as it does at the tracker."""
    some_late = itertools.cycle([False, *late])
    sent = _traffic(100, lambda _: late_s if next(some_late) else 0.5)
    heard = [one for one in sent if one.received < BEGAN + 100 * SECOND]
    fleet = _fold(heard)
    assert fleet.lateness.late == 0
    watches = {vin: Watch(vin, LIMIT_S) for vin in VINS}
    expected = [event for vin, *one in heard for event in watches[vin].heard(*one)]
    assert fleet.told == expected


def _after(heard: list[Heard], then: list[Heard]) -> Lateness:
    """What is believed once a window has closed after some more was heard."""
    fleet = _fold(heard + then)
    end = max(one.received for one in heard + then)
    fleet.heard(VINS[0], end + WINDOW, end + WINDOW)
    return fleet.lateness


def test_what_few_vehicles_say_is_not_believed() -> None:
    """Fewer than a hundred heartbeats in ten seconds may well be late themselves."""
    late = 3 * LIMIT_S * SECOND
    heard = [Heard(f"V{n}", BEGAN + n, BEGAN + n + late) for n in range(FEWEST)]
    assert _after(heard[1:], []).late == 0
    assert _after(heard, []).late == 3 * LIMIT_S * SECOND


def test_who_tells_of_the_past_does_not_stop_time() -> None:
    """Neither an import of old heartbeats, whoever sent them, nor one gateway's backlog does."""
    live = _traffic(20, lambda _: 0)
    now = live[-1].received
    old = MOST_S * SECOND + SECOND
    unknown = [Heard(f"V{n % 9}", now - old - 9_000 + n, now + n) for n in range(9_000)]
    assert _after(live, unknown).late == 0
    known = [Heard(VINS[n % 60], BEGAN - n, now + n) for n in range(1, 9_000)]
    assert _after(live, known).late == 0
    backlog = [Heard(f"V{n % 9}", now - 99 * SECOND + n, now + n) for n in range(900)]
    assert _after(live, backlog).late == 0


def test_after_everybody_was_late_time_goes_on() -> None:
    """Once they are heard in time again, silence is judged up to now, ten seconds later."""
    caught_up = 100
    heard = _traffic(200, lambda at: 90 if at < caught_up else 0)
    fleet = _fold([one for one in heard if one.recorded >= BEGAN])
    end = heard[-1].received
    assert fleet.lateness.judged(end) == end


def test_what_was_kept_through_an_outage_silences_nobody() -> None:
    """Who is heard in turn, twice as fast as it was recorded, stays connected all the while."""
    away, back = BEGAN + 100 * SECOND, BEGAN + 1_000 * SECOND
    fleet = Fleet(LIMIT_S)
    for vin, recorded, _ in _traffic(2_000, lambda _: 0):
        if recorded == away:
            fleet.resumed(from_microseconds(away), from_microseconds(back))
        waited = back + (recorded - away) // 2
        received = recorded if recorded < away else max(recorded, waited)
        fleet.passed(received, MOST)
        fleet.heard(vin, recorded, received)
    assert {type(one) for one in fleet.told} == {VehicleConnected}


def test_a_clock_that_is_ahead_takes_nobody_along() -> None:
    """A write process an hour ahead, whatever it hears: the others' vehicles are not silent."""
    hour = 3_600 * SECOND
    ahead = frozenset(VINS[:20])
    heard = [
        Heard(vin, at, received + hour if vin in ahead else received)
        for vin, at, received in _traffic(100, lambda _: 0)
    ]
    fleet = _fold(heard)
    end = BEGAN + 100 * SECOND
    fleet.passed(end, MOST)
    assert {one.vin for one in _silent(fleet.told)} <= ahead
    assert fleet.lateness.judged(end) == end
