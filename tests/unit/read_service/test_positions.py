"""Waiting for a position: answered as soon as it is reached, refused when patience ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from read_service.positions import PositionWatch
from vehicle_tracker.errors import Unavailable


def test_what_is_reached_is_not_waited_for() -> None:
    """A position that is reached, or passed, is one look away."""
    looks: list[int] = []
    watch = PositionWatch(lambda: looks.append(1) or 7, patience_s=0)  # type: ignore[func-returns-value]
    watch.wait_for(7)
    watch.wait_for(3)
    assert len(looks) == 2


def test_who_asks_for_no_position_does_not_look() -> None:
    """Most reads ask for none, and must not pay for it."""
    looks: list[int] = []
    PositionWatch(lambda: looks.append(1) or 7, patience_s=0).wait_for(0)  # type: ignore[func-returns-value]
    assert not looks


def test_it_waits_until_it_is_reached() -> None:
    """The projection moves on while somebody waits."""
    moving = count()
    PositionWatch(lambda: next(moving), patience_s=10).wait_for(3)
    assert next(moving) == 4


def test_many_who_wait_look_like_one() -> None:
    """However many threads wait, one at a time looks for all of them."""
    looks = count()
    watch = PositionWatch(lambda: next(looks) // 10, patience_s=10)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(watch.wait_for, [2] * 8))
    assert next(looks) < 40


def test_patience_ends() -> None:
    """A position that does not come is a 503 with both positions in it."""
    with pytest.raises(Unavailable, match="Position 9 is not reached yet; this is 7") as refusal:
        PositionWatch(lambda: 7, patience_s=0.1).wait_for(9)
    assert refusal.value.code == "read_model_behind"


def test_an_error_while_looking_reaches_who_looked() -> None:
    """A database that goes away while somebody waits does not keep the others from looking."""
    answers = iter([0, RuntimeError("gone"), 5])

    def position() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    watch = PositionWatch(position, patience_s=10)
    with pytest.raises(RuntimeError):
        watch.wait_for(5)
    watch.wait_for(5)
