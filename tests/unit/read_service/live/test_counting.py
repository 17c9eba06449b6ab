"""Counts: once for all who ask the same, and not more often than they may cost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from projections.vehicle_search.model import VehiclePage, VehicleQuery
from read_service.live import counting
from read_service.live.counting import IDLE_S, SHARE, Counting
from read_service.live.listener import Asked, Listener
from vehicle_tracker.errors import Unavailable


class Clock:
    """Time that passes when it is told to, and while something is searched."""

    def __init__(self) -> None:
        self.now = 100.0
        self.total = 7
        self.searched: list[VehicleQuery] = []
        self.away = False

    def monotonic(self) -> float:
        return self.now

    def search(self, query: VehicleQuery, _: Any) -> VehiclePage:
        self.searched.append(query)
        self.now += 0.2
        if self.away:
            raise Unavailable("search_unavailable", "It is away.")
        return VehiclePage((), self.total, {}, None, 1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(counting, "time", clock)
    return clock


@pytest.fixture
def counts(clock: Clock) -> Counting:
    models: Any = SimpleNamespace(search=clock, search_as_of=lambda: None)
    return Counting(models)


def _listener(q: str = "") -> Listener:
    cursors: Any = None
    asked = Asked(VehicleQuery(q=q), frozenset(), counts=True)
    return Listener(asked, 1, cursors, lambda _: None)


def _heard(listener: Listener) -> int:
    taken = listener.outbox.take(0)
    return len(taken[0]) if taken else 0


def test_all_who_ask_the_same_are_told_at_once(clock: Clock, counts: Counting) -> None:
    """One search for all of them; whoever comes later hears it within a second."""
    listeners = [_listener() for _ in range(5)]
    assert counts.count(listeners) == pytest.approx((SHARE - 1) * 0.2)
    assert [_heard(one) for one in listeners] == [1] * 5
    late = _listener()
    assert counts.count([*listeners, late]) == IDLE_S
    clock.now += 1
    counts.count([*listeners, late])
    assert (_heard(late), [_heard(one) for one in listeners]) == (1, [0] * 5)
    assert len(clock.searched) == 2


def test_counts_are_told_when_they_change_and_now_and_then(clock: Clock, counts: Counting) -> None:
    """Nothing happened: not counted. Something did: told if it counts. After ten seconds: told."""
    one = _listener()
    counts.count([one])
    assert _heard(one) == 1
    clock.now += 5
    counts.count([one])
    assert len(clock.searched) == 1
    one.outbox.put({}, 2)
    counts.count([one])
    assert (len(clock.searched), _heard(one)) == (2, 0)
    one.outbox.put({}, 3)
    clock.now, clock.total = clock.now + 1, 8
    counts.count([one])
    assert (len(clock.searched), _heard(one)) == (3, 1)
    clock.now += 11
    counts.count([one])
    assert _heard(one) == 1


def test_the_longest_waiting_is_counted_first(clock: Clock, counts: Counting) -> None:
    """However many ask for different vehicles, each has its turn."""
    listeners = [_listener(str(n)) for n in range(20)]
    for position in range(2, 62):
        clock.now += counts.count(listeners)
        for one in listeners:
            one.outbox.put({}, position)
    asked = [query.q for query in clock.searched]
    assert sorted(asked) == sorted(str(n) for n in range(20) for _ in range(3))


def test_a_search_that_is_away_is_asked_again(clock: Clock, counts: Counting) -> None:
    """Later, and then everybody is told."""
    one, clock.away = _listener(), True
    counts.count([one])
    assert _heard(one) == 0
    clock.away = False
    clock.now += 1
    counts.count([one])
    assert _heard(one) == 1
