"""What is remembered until a customer changes is never older than what it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from projections.customer_vehicles.remembered import UntilChanged

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

KEYS = "abcd"
_keys = st.lists(st.sampled_from(KEYS), unique=True)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.lists(st.sampled_from(KEYS), unique=True, min_size=1)),
        st.tuples(st.sampled_from(["now", "of"]), _keys),
    )
)


class Customers:
    """As PostgreSQL answers: of each key there is, when it changed last; and when any did.

    While it is asked, a customer may change: `meanwhile` says whether one does before each answer.
    """

    def __init__(self, meanwhile: list[bool]) -> None:
        self.changed = 1
        self.of = dict.fromkeys(KEYS[:3], 1)
        self.asked: list[list[str]] = []
        self._meanwhile = iter(meanwhile)

    @property
    def edition(self) -> str:
        """Another after each change."""
        return str(self.changed)

    def change(self, keys: Collection[str]) -> None:
        """These are other than they were."""
        self.changed += 1
        self.of |= dict.fromkeys(keys, self.changed)

    def ask(self, keys: Collection[str]) -> tuple[Mapping[str, int], str]:
        """What is known of these."""
        self.asked.append([*keys])
        if next(self._meanwhile, False):
            self.change(KEYS[:1])
        return {key: self.of[key] for key in keys if key in self.of}, self.edition


@given(_steps, st.lists(st.booleans()), st.integers(0, 5))
def test_nothing_older_is_told(
    steps: list[tuple[str, list[str]]], meanwhile: list[bool], most: int
) -> None:
    """Whoever changes when, and however few are remembered."""
    customers = Customers(meanwhile)
    remembered = UntilChanged(customers.ask, most)
    for what, keys in steps:
        if what == "change":
            customers.change(keys)
            continue
        then = {key: customers.of[key] for key in keys if key in customers.of}
        found = remembered.now(keys) if what == "now" else remembered.of(customers.edition, keys)
        assert found.keys() == then.keys()
        assert all(found[key] >= at for key, at in then.items())


def test_what_is_known_is_not_asked_again() -> None:
    """Only what is not is; and whether a customer changed, if nobody says so."""
    customers = Customers([])
    remembered = UntilChanged(customers.ask, 10)
    for keys in ("ab", "ba", "bc", "c"):
        remembered.of("1", list(keys))
    remembered.now(["a", "b"])
    customers.change("b")
    remembered.now(["a", "c"])
    remembered.now(["a", "c"])
    assert customers.asked == [["a", "b"], ["c"], [], [], ["a", "c"], []]


def test_the_newest_are_remembered() -> None:
    """When there are too many they come instead of those before."""
    customers = Customers([])
    remembered = UntilChanged(customers.ask, 2)
    for keys in ("ab", "c", "c", "a", "ac", "ab"):
        remembered.of("1", list(keys))
    assert customers.asked == [["a", "b"], ["c"], ["a"], ["b"]]
