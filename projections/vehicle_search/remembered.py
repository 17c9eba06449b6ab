"""What searches found when they were asked last: so they are asked again as is best for so much.

It decides how the index is asked, never what is answered: it may be wrong, old or empty.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

MANY = 30_000
"""Of so many, Elasticsearch counts statuses and customers faster each by itself; and then it keeps
the counts until the index changes. Fewer are counted by the search that lists them."""

ENOUGH = 1.5
"""A page is looked for in so many times as many vehicles as it would be in if they were mixed."""

RAREST = 64
"""Those of whom there is one in more vehicles than these are not looked for so."""

MOST = 10_000
FORGOTTEN_AFTER_S = 600.0


class Seen(NamedTuple):
    """Of a search: whether it finds many, and in how many pages of the whole fleet its page is.

    That is 0 where a page is not looked for there.
    """

    many: bool
    reach: int


class Remembered:
    """By search, until all is forgotten. Threads may share it."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, Seen] = {}
        self._ends: dict[Hashable, str | None] = {}
        self._fleet = 0
        self._until = time.monotonic() + FORGOTTEN_AFTER_S

    def of(self, search: Hashable) -> Seen | None:
        """What was seen of a search."""
        return self._seen.get(search)

    def found(self, search: Hashable, counted: int, listed: int) -> None:
        """It counted so many and listed so many. The fleet is as many as were ever counted."""
        now = time.monotonic()
        if now >= self._until or len(self._seen) >= MOST or len(self._ends) >= MOST:
            self._seen.clear()
            self._ends.clear()
            self._until = now + FORGOTTEN_AFTER_S
        self._fleet = max(self._fleet, counted)
        if search not in self._seen:
            is_looked_for = listed >= MANY and self._fleet <= RAREST * listed
            reach = math.ceil(ENOUGH * self._fleet / listed) if is_looked_for else 0
            self._seen[search] = Seen(counted >= MANY, reach)

    def missed(self, search: Hashable, seen: Seen, share: float) -> None:
        """Only this share of its page is where it was looked for: next time further, or nowhere."""
        further = ENOUGH * seen.reach / share if share else math.inf
        reach = math.ceil(further) if further <= ENOUGH * RAREST else 0
        self._seen[search] = seen._replace(reach=reach)

    def end(self, page: Hashable) -> str | None:
        """The key at which a page of the whole fleet ended when that was asked last."""
        return self._ends.get(page)

    def ended(self, page: Hashable, end: str | None) -> None:
        """There it ends now. If vehicles are registered before, it is found all the same."""
        self._ends[page] = end
