"""Group commit: many wait, one commits for all of them.

There is no thread of its own: whoever comes while nobody commits leads, takes all that wait, and
appoints the next leader when done. So nothing is left waiting when a process stops accepting work.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from vehicle_tracker.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class GroupCommit(Generic[Item, Outcome]):
    """Turns many small submissions into few commits.

    `commit` takes a group's items and gives an outcome for each, in their order. It is never
    called twice at once. `largest_group` bounds a group unless a single submission is larger;
    with more than `most_waiting` items a submission is refused as `overloaded`.
    """

    def __init__(
        self,
        commit: Callable[[list[Item]], Sequence[Outcome]],
        *,
        most_waiting: int,
        largest_group: int = 5_000,
    ) -> None:
        self._commit = commit
        self._most_waiting = most_waiting
        self._largest_group = largest_group
        self._guard = Lock()
        self._queue: deque[_Submission[Item, Outcome]] = deque()
        self.waiting = 0
        """Items submitted and not yet committed: a gauge, and what `most_waiting` bounds."""
        self._led = False

    def submit(self, items: list[Item]) -> Sequence[Outcome]:
        """Wait until the items are committed; their outcomes, in order.

        Errors: `Unavailable` (`overloaded`) before anything was done, or what `commit` raised
        for the whole group, of which then nothing was committed.
        """
        submission: _Submission[Item, Outcome] = _Submission(items)
        with self._guard:
            if self.waiting and self.waiting + len(items) > self._most_waiting:
                raise Unavailable("overloaded", "More heartbeats are waiting than can be stored.")
            self.waiting += len(items)
            self._queue.append(submission)
            leads, self._led = not self._led, True
        if not leads:
            submission.wake.acquire()
            leads = not submission.done
        if leads:
            self._lead(submission)
        if submission.error is not None:
            raise submission.error
        return submission.outcomes

    def _lead(self, leader: _Submission[Item, Outcome]) -> None:
        group = self._take_group()
        items = [item for submission in group for item in submission.items]
        error: BaseException | None = None
        outcomes: Sequence[Outcome] = ()
        try:
            outcomes = self._commit(items)
        except BaseException as raised:  # noqa: BLE001 # each waiter raises it in its own thread
            error = raised
        start = 0
        for submission in group:
            end = start + len(submission.items)
            submission.outcomes, submission.error = outcomes[start:end], error
            submission.done = True
            start = end
        with self._guard:
            self.waiting -= len(items)
            next_leader = self._queue[0] if self._queue else None
            self._led = next_leader is not None
        for submission in group:
            if submission is not leader:
                submission.wake.release()
        if next_leader:
            next_leader.wake.release()

    def _take_group(self) -> list[_Submission[Item, Outcome]]:
        with self._guard:
            group = [self._queue.popleft()]
            size = len(group[0].items)
            while self._queue and size + len(self._queue[0].items) <= self._largest_group:
                group.append(self._queue.popleft())
                size += len(group[-1].items)
            return group


class _Submission(Generic[Item, Outcome]):
    """What one caller waits for. `wake` is released when it is done, or when it is to lead."""

    __slots__ = ("done", "error", "items", "outcomes", "wake")

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.outcomes: Sequence[Outcome] = ()
        self.error: BaseException | None = None
        self.done = False
        self.wake = Lock()
        self.wake.acquire()
