"""Availability is a fold over heartbeat times, and says what every single instant says."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.domain.availability import Heard, Period, connected_time, spells

VIN = "YS2R4X20005399401"

histories = st.lists(st.integers(0, 120), max_size=25)
"""Times at which a vehicle was heard: in any order, late ones and repeated ones among them."""

periods = st.tuples(st.integers(0, 120), st.integers(0, 60), st.integers(1, 30)).map(
    lambda drawn: Period(VIN, drawn[0], drawn[0] + drawn[1], drawn[2])
)


def _at(instant: int, history: list[int], limit: int) -> str:
    """Slow and obvious: what the vehicle was at one instant."""
    if any(heard <= instant < heard + limit for heard in history):
        return "connected"
    return "disconnected" if any(heard <= instant for heard in history) else "never_seen"


def _heard(history: list[int], period: Period) -> Heard:
    """What the log would say of it: each heartbeat once, by time, if it may matter."""
    times = sorted(set(history))
    near = [at for at in times if period.start - period.limit < at < period.end]
    return Heard(times[0] if times else None, near)


@given(history=histories, period=periods)
def test_availability_is_what_each_instant_says(history: list[int], period: Period) -> None:
    """Whatever the history, each instant of the period is in the spell of its status."""
    told = spells(period, _heard(history, period))
    instants = range(period.start, period.end)
    spelled = [spell.status for spell in told for _ in range(spell.start, spell.end)]
    assert spelled == [_at(instant, history, period.limit) for instant in instants]
    assert connected_time(told) == spelled.count("connected")


@given(history=histories, period=periods)
def test_spells_cover_the_period_without_gaps(history: list[int], period: Period) -> None:
    """One ends where the next begins, neighbours differ, and none is empty."""
    told = spells(period, _heard(history, period))
    assert all(spell.start < spell.end for spell in told)
    assert all(one.end == other.start for one, other in pairwise(told))
    assert all(one.status != other.status for one, other in pairwise(told))
    ends = [told[0].start, told[-1].end] if told else [period.end, period.start]
    assert ends == [period.start, period.end]


@given(history=histories, late=histories, period=periods)
def test_a_late_heartbeat_only_mends(history: list[int], late: list[int], period: Period) -> None:
    """What comes late never makes a connected instant a silent one."""
    before, after = (
        [spell.status for spell in spells(period, heard) for _ in range(spell.start, spell.end)]
        for heard in (_heard(history, period), _heard(history + late, period))
    )
    assert all(
        then == "connected" for was, then in zip(before, after, strict=True) if was == "connected"
    )
