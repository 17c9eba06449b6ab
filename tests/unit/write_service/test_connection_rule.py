"""The rule of connection: the same log gives the same events, and they add up to the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    ConnectionMended,
    Interval,
    VehicleConnected,
    VehicleDisconnected,
    intervals,
)
from vehicle_tracker.domain.values import from_microseconds
from write_service.connection_rule import MENDS_AFTER, SECOND, Watch

if TYPE_CHECKING:
    from collections.abc import Collection

VIN = "YS2R4X20005399401"
LIMIT_S = 12
LIMIT = LIMIT_S * SECOND


class Heard(NamedTuple):
    """A heartbeat, in seconds."""

    recorded: int
    received: int


@st.composite
def histories(draw: st.DrawFn) -> list[Heard]:
    """Heartbeats as they come: in time, late by anything, ahead of time; each instant once."""
    now = 1_000
    heard: dict[int, Heard] = {}
    for wait, age in draw(
        st.lists(
            st.tuples(st.integers(0, 40), st.one_of(st.just(0), st.integers(-20, 200))),
            max_size=25,
        )
    ):
        now += wait
        heard.setdefault(now - age, Heard(now - age, now))
    return list(heard.values())


def _obvious(history: list[Heard], until: int) -> list[Interval]:
    """Each heartbeat connects for the limit: walk over their times, in order."""
    times = sorted(one.recorded for one in history)
    found: list[Interval] = []
    for n, start in enumerate(times):
        if n and times[n - 1] + LIMIT_S >= start:
            continue
        end = n
        while end + 1 < len(times) and times[end] + LIMIT_S >= times[end + 1]:
            end += 1
        silent = end + 1 < len(times) or times[end] + LIMIT_S < until
        last = from_microseconds((times[end] + LIMIT_S) * SECOND)
        found.append(Interval(from_microseconds(start * SECOND), last if silent else None))
    return found


def _judge(
    history: list[Heard],
    until: int,
    runs: dict[int, list[int]] | None = None,
    away: Collection[int] = (),
) -> list[ConnectionEvent]:
    """Fold a history; before each heartbeat a monitor may run, at so many % of its reception.

    Before those in `away` nobody may have listened.
    """
    watch = Watch(VIN, LIMIT_S)
    events: list[ConnectionEvent] = []
    before = 0
    for n, (recorded, received) in enumerate(history):
        for percent in (runs or {}).get(n, ()):
            passed = before * SECOND + (received - before) * SECOND * percent // 100
            events += watch.passed(passed)
        if n in away:
            events += watch.resumed(before * SECOND, received * SECOND)
        events += watch.heard(recorded * SECOND, received * SECOND)
        before = received
    events += watch.passed(until * SECOND)
    return events


def _end(history: list[Heard]) -> int:
    """An instant by which all that came late has been told."""
    return (history[-1].received if history else 0) + MENDS_AFTER // SECOND + 1


@given(histories(), st.integers(0, 100), st.sets(st.integers(0, 24)))
def test_events_add_up_to_what_the_heartbeats_say(
    history: list[Heard], later: int, away: set[int]
) -> None:
    """Whatever came late, early or after an outage: the intervals are those of the heartbeats."""
    until = _end(history) + later
    assert intervals(_judge(history, until)) == _obvious(history, until)
    until += LIMIT_S  # by then silence has been counted anew
    assert intervals(_judge(history, until, away=away)) == _obvious(history, until)


@given(
    histories(),
    st.dictionaries(st.integers(0, 24), st.lists(st.integers(0, 100), max_size=3).map(sorted)),
)
def test_it_does_not_matter_when_a_monitor_ran(
    history: list[Heard], runs: dict[int, list[int]]
) -> None:
    """A monitor that ran all the time, one that slept and one that woke at the end: same events."""
    until = _end(history)
    woke_at_the_end = _judge(history, until)
    assert set(_judge(history, until, runs)) == set(woke_at_the_end)
    assert len({one.version for one in woke_at_the_end}) == len(woke_at_the_end)


@given(histories(), st.lists(st.integers(0, 60), max_size=25), st.data())
def test_replaying_the_log_gives_what_was_appended(
    history: list[Heard], ticks: list[int], data: st.DataObject
) -> None:
    """However early a monitor judged, its own events in the log tell the next one why."""
    live = Watch(VIN, LIMIT_S)
    log: list[Heard | ConnectionEvent] = []
    appended: list[ConnectionEvent] = []
    limits = data.draw(st.lists(st.sampled_from([None, None, 5, 30]), min_size=25, max_size=25))
    changes = dict(enumerate(limits))
    away = data.draw(st.sets(st.integers(0, 24)))
    before = 0
    for n, one in enumerate(history):
        if n in away:  # nobody may have listened since the last reception
            appended += (events := live.resumed(before, one.received * SECOND))
            log += events
        before = one.received * SECOND
        if limit := changes[n]:
            appended += (events := live.limited(limit, one.received * SECOND))
            log += events
        log.append(one)
        appended += (events := live.heard(one.recorded * SECOND, one.received * SECOND))
        log += events
        if n < len(ticks):  # may be far ahead of the next reception: a clock that was wrong
            appended += (events := live.passed((one.received + ticks[n]) * SECOND))
            log += events
    replay = Watch(VIN, LIMIT_S)
    told: list[ConnectionEvent] = []
    heard = before = 0
    for entry in log:
        if isinstance(entry, Heard):
            if heard in away:
                told += replay.resumed(before, entry.received * SECOND)
            before = entry.received * SECOND
            if limit := changes[heard]:
                told += replay.limited(limit, entry.received * SECOND)
            heard += 1
            told += replay.heard(entry.recorded * SECOND, entry.received * SECOND)
        else:
            told += replay.noted(entry)
    assert sorted(told, key=lambda one: one.version) == sorted(
        appended, key=lambda one: one.version
    )
    assert replay == live
    assert len({one.version for one in appended}) == len(appended)


def _at(second: float) -> object:
    return from_microseconds(int(second * SECOND))


def test_a_heartbeat_just_at_the_limit_keeps_the_connection() -> None:
    """Silent for the limit is connected, silent for a microsecond longer is not."""
    watch = Watch(VIN, LIMIT_S)
    assert watch.heard(0, 0) == [VehicleConnected(VIN, _at(0), LIMIT_S)]
    assert not watch.passed(LIMIT)
    assert not watch.heard(LIMIT, LIMIT)
    assert watch.passed(2 * LIMIT + 1) == [VehicleDisconnected(VIN, _at(LIMIT_S), LIMIT_S)]
    assert not watch.passed(10 * LIMIT)


def test_late_heartbeats_that_close_a_gap_are_one_event() -> None:
    """What came late is told once, and the gap it closes is gone from the intervals."""
    watch = Watch(VIN, LIMIT_S)
    events = [*watch.heard(0, 0), *watch.heard(30 * SECOND, 30 * SECOND)]
    assert len(intervals(events)) == 2
    for second in (10, 20, 15):
        assert not watch.heard(second * SECOND, 31 * SECOND)
    mended = watch.passed(31 * SECOND + MENDS_AFTER + 1)
    assert mended == [ConnectionMended(VIN, _at(15), LIMIT_S, _at(10), _at(20))]
    assert intervals([*events, *mended]) == [(_at(0), None)]


def test_a_late_heartbeat_within_a_connection_tells_nothing() -> None:
    """Between heartbeats that reach each other a third one changes nothing."""
    watch = Watch(VIN, LIMIT_S)
    watch.heard(0, 0)
    assert not watch.heard(10 * SECOND, 10 * SECOND)
    assert not watch.heard(5 * SECOND, 11 * SECOND)
    assert watch.late is None


def test_a_heartbeat_at_the_instant_of_a_disconnection_is_not_lost() -> None:
    """One of exactly last heartbeat + limit that comes after the verdict has a place of its own."""
    watch = Watch(VIN, LIMIT_S)
    events = [*watch.heard(0, 0), *watch.passed(LIMIT + 1), *watch.heard(LIMIT, LIMIT + 5)]
    assert [type(one) for one in events] == [
        VehicleConnected,
        VehicleDisconnected,
        VehicleConnected,
    ]
    assert events[1].at == events[2].at
    assert intervals(events) == [(_at(0), None)]


@pytest.mark.parametrize(("limit_s", "ends"), [(5, 5), (60, 60)])
def test_another_limit_holds_for_what_is_not_judged(limit_s: int, ends: int) -> None:
    """A changed limit judges the silence at hand; what was declared stands."""
    watch = Watch(VIN, LIMIT_S)
    watch.heard(0, 0)
    assert not watch.limited(limit_s, 10 * SECOND)
    assert watch.passed(61 * SECOND) == [VehicleDisconnected(VIN, _at(0), limit_s)]
    assert watch.ended == ends * SECOND
    assert not watch.limited(1_000, 62 * SECOND)
    assert not watch.passed(63 * SECOND)
