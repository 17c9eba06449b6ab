"""What many share: none can take it all, and there is always some left for who comes next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.errors import Unavailable
from write_service.fair_share import FairShare


def _take_all(share: FairShare, client: str, amount: int = 1) -> int:
    taken = 0
    try:
        while True:
            share.take(client, amount)
            taken += amount
    except Unavailable:
        return taken


@pytest.mark.parametrize(
    ("clients", "of_each"), [(1, [512]), (2, [512, 256]), (4, [512, 256, 128, 64])]
)
def test_one_gets_half_and_leaves_as_much(clients: int, of_each: list[int]) -> None:
    """Whoever takes all it can get gets half of what is free: the next one finds as much again."""
    share = FairShare(1023, "things")
    assert [_take_all(share, str(number)) for number in range(clients)] == of_each


def test_the_first_may_hold_any_amount() -> None:
    """What is larger than the whole is taken if nothing is held: else it would never be."""
    share = FairShare(10, "things")
    share.take("large", 1000)
    with pytest.raises(Unavailable, match="More things wait"):
        share.take("other", 1)
    share.give_back("large", 1000)
    assert (share.held, _take_all(share, "other")) == (0, 5)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20)), max_size=60))
def test_never_more_than_there_is(wishes: list[tuple[str, int]]) -> None:
    """However many come and go: at most all of it is held, and in the end nothing is."""
    share = FairShare(100, "things")
    held: list[tuple[str, int]] = []
    for client, amount in wishes:
        try:
            share.take(client, amount)
            held.append((client, amount))
        except Unavailable:
            if held:
                share.give_back(*held.pop(0))
        assert share.held == sum(amount for _, amount in held) <= 100
    for one in held:
        share.give_back(*one)
    assert share.held == 0
