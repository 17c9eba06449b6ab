"""What searches found is remembered for a while, and told to whoever asks the same again."""

from __future__ import annotations

import pytest

from projections.vehicle_search import remembered
from projections.vehicle_search.remembered import MANY, RAREST, Remembered, Seen


@pytest.fixture
def memory() -> Remembered:
    """Nothing is remembered yet."""
    return Remembered()


@pytest.mark.parametrize(
    ("listed", "reach"),
    [(10 * MANY, 2), (7 * MANY, 3), (MANY, 15), (MANY - 1, 0)],
)
def test_a_page_of_many_is_looked_for_where_it_would_be(
    memory: Remembered, listed: int, reach: int
) -> None:
    """If they were mixed evenly with all there are, and half as far again; of few it is not."""
    assert memory.of("a") is None
    memory.found("everybody", 10 * MANY, 10 * MANY)
    memory.found("a", 10 * MANY, listed)
    assert memory.of("a") == Seen(many=True, reach=reach)
    assert memory.of("b") is None


def test_of_few_it_is_remembered_that_they_are(memory: Remembered) -> None:
    """And of whom is too rare, that no page is looked for."""
    memory.found("few", MANY - 1, MANY - 1)
    assert memory.of("few") == Seen(many=False, reach=0)
    memory.found("rare", (RAREST + 1) * MANY, MANY)
    assert memory.of("rare") == Seen(many=True, reach=0)


@pytest.mark.parametrize(
    ("share", "reach"), [(1.0, 3), (0.5, 6), (0.1, 30), (1 / 32, 96), (1 / 33, 0), (0.0, 0)]
)
def test_a_page_that_was_missed_is_looked_for_further(
    memory: Remembered, share: float, reach: int
) -> None:
    """As far as what was there of it tells; nowhere if that is too far, whatever is found then."""
    memory.found("a", MANY, MANY)
    memory.missed("a", Seen(many=True, reach=2), share)
    memory.found("a", MANY, MANY)
    assert memory.of("a") == Seen(many=True, reach=reach)


def test_it_forgets(memory: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, or when it is full: what is remembered may be of another fleet."""
    memory.found("a", MANY, MANY)
    monkeypatch.setattr(remembered, "MOST", 1)
    memory.found("b", MANY, MANY)
    assert (memory.of("a"), memory.of("b")) == (None, Seen(many=True, reach=2))
    monkeypatch.setattr(remembered, "MOST", 10)
    monkeypatch.setattr(remembered, "FORGOTTEN_AFTER_S", 0.0)
    fresh = Remembered()
    fresh.found("a", MANY, MANY)
    fresh.found("b", MANY, MANY)
    assert fresh.of("a") is None


def test_where_a_page_ended_is_remembered(
    memory: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By where it begins, until it ends nowhere any more, or all is forgotten."""
    memory.ended("here", "ABC123")
    memory.ended("there", "ABD456")
    memory.ended("there", None)
    assert [memory.end(place) for place in ("here", "there")] == ["ABC123", None]
    monkeypatch.setattr(remembered, "MOST", 1)
    memory.found("a", MANY, MANY)
    assert memory.end("here") is None
