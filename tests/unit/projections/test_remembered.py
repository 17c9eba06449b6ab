"""What searches found is remembered for a while, and told to whoever asks the same again."""

from __future__ import annotations

import pytest

from projections.vehicle_search import remembered
from projections.vehicle_search.remembered import FURTHEST, MANY, NEAREST, Remembered, Seen


@pytest.fixture
def memory() -> Remembered:
    """Nothing is remembered yet."""
    return Remembered()


@pytest.mark.parametrize(
    ("count", "seen"),
    [(MANY - 1, Seen(many=False, reach=0)), (MANY, Seen(many=True, reach=NEAREST))],
)
def test_of_few_no_page_is_looked_for(memory: Remembered, count: int, seen: Seen) -> None:
    """They are sorted at once."""
    assert memory.of("a") is None
    memory.found("a", count)
    assert memory.of("a") == seen
    assert memory.of("b") is None


def test_a_page_that_was_missed_is_looked_for_twice_as_far(memory: Remembered) -> None:
    """As far as that pays; then nowhere, whatever is found from then on."""
    memory.found("a", MANY)
    reaches = []
    while (seen := memory.of("a")) and seen.reach:
        reaches.append(seen.reach)
        memory.missed("a", seen)
        memory.found("a", MANY)
    assert reaches == [NEAREST, 4, 8, FURTHEST]
    assert memory.of("a") == Seen(many=True, reach=0)


def test_it_forgets(memory: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, or when it is full: what is remembered may be of another fleet."""
    memory.found("a", MANY)
    monkeypatch.setattr(remembered, "MOST", 1)
    memory.found("b", MANY)
    assert (memory.of("a"), memory.of("b")) == (None, Seen(many=True, reach=NEAREST))
    monkeypatch.setattr(remembered, "MOST", 10)
    monkeypatch.setattr(remembered, "FORGOTTEN_AFTER_S", 0.0)
    fresh = Remembered()
    fresh.found("a", MANY)
    fresh.found("b", MANY)
    assert fresh.of("a") is None
