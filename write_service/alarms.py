"""When to look at which of many: the queue of a fleet's alarms.

They are kept by short stretches of time rather than one by one: a heap of a million takes long to
put in order, and its entries take more memory than the vehicles' own instants.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

STRETCH = 65_536
"""Microseconds."""


class Alarmed(Protocol):
    """Whoever has at most one alarm that counts: the stretch of time in which it goes off."""

    alarm: int | None

    @property
    def due(self) -> int | None:
        """When something happens by itself, in microseconds."""


T = TypeVar("T", bound=Alarmed)


class Alarms(Generic[T]):
    """One alarm for each, at the latest in the stretch in which it is due."""

    def __init__(self) -> None:
        self._queue: list[int] = []
        self._stretches: dict[int, tuple[int, list[T]]] = {}

    def set(self, one: T) -> None:
        """Set its alarm to when it is due, unless it has an earlier one."""
        self._set(one, one.due)

    def _set(self, one: T, due: int | None) -> None:
        if due is None:
            return
        stretch = due // STRETCH
        if one.alarm is not None and one.alarm <= stretch:
            return
        there = self._stretches.get(stretch)
        if there is None:
            there = self._stretches[stretch] = (stretch, [])
            heappush(self._queue, stretch)
        one.alarm = there[0]  # the same number for all: a million of its copies would be 32 MB
        there[1].append(one)

    def due(self, until: int) -> Generator[T]:
        """Each that is due before an instant, its alarm taken; the others' are set anew.

        To be closed if it is not read to its end.
        """
        while self._queue and self._queue[0] * STRETCH < until:
            stretch, all_ = self._stretches[self._queue[0]]
            later: list[tuple[T, int | None]] = []
            try:
                while all_:
                    one = all_.pop()
                    if one.alarm != stretch:
                        continue  # an earlier one counts
                    one.alarm = None
                    due = one.due
                    if due is not None and due < until:
                        yield one
                    else:
                        later.append((one, due))
            finally:
                if not all_:
                    del self._stretches[heappop(self._queue)]
                for one, due in later:
                    self._set(one, due)
            if (stretch + 1) * STRETCH > until:
                return
