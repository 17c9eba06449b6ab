"""Group commit: many wait, one commits for all of them.

There is no thread of its own: whoever comes while nobody commits leads, takes all that wait, and
appoints the next leader when done. So nothing is left waiting when a process stops accepting work.

Those who wait are served by start-time fair queueing (Goyal, Vin and Cheng, 1996), which counts
items: each client's first is served at once, and who submits much waits longer for the rest.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class GroupCommit(Generic[Item, Outcome]):
    """Turns many small submissions into few commits.

    `commit` takes a group's items and gives an outcome for each, in their order. It is never
    called twice at once. `largest_group` bounds a group unless a single submission is larger. How
    much may wait is for who submits to bound.
    """

    def __init__(
        self, commit: Callable[[list[Item]], Sequence[Outcome]], *, largest_group: int = 5_000
    ) -> None:
        self._commit = commit
        self._largest_group = largest_group
        self._guard = Lock()
        self._queue: list[tuple[int, int, _Submission[Item, Outcome]]] = []
        self._arrivals = count()
        self._now = 0
        """The virtual time: the start of the submission that was served last."""
        self._served_until: dict[str, int] = {}
        """For each client that waits, the virtual time at which what it submitted is served."""
        self._led = False

    @property
    def waiting(self) -> int:
        """Items that no commit has taken yet: a gauge."""
        with self._guard:
            return sum(len(submission.items) for _, _, submission in self._queue)

    def submit(self, items: list[Item], client: str = "") -> Sequence[Outcome]:
        """Wait until the items are committed; their outcomes, in order.

        Errors: what `commit` raised for the whole group, of which then nothing was committed.
        """
        submission: _Submission[Item, Outcome] = _Submission(items, client)
        leads = self._enqueue(submission)
        while not submission.done:
            if leads:
                self._lead(submission)
            else:
                submission.wake.acquire()
            leads = not leads
        if submission.error is not None:
            raise submission.error
        return submission.outcomes

    def _enqueue(self, submission: _Submission[Item, Outcome]) -> bool:
        """Line it up; True if it is to lead."""
        with self._guard:
            start = max(self._now, self._served_until.get(submission.client, 0))
            self._served_until[submission.client] = start + len(submission.items)
            heappush(self._queue, (start, next(self._arrivals), submission))
            leads, self._led = not self._led, True
        return leads

    def _lead(self, leader: _Submission[Item, Outcome]) -> None:
        """Commit what is served next, which need not be the leader's own."""
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
            next_leader = self._queue[0][-1] if self._queue else None
            self._led = next_leader is not None
        for submission in group:
            if submission is not leader:
                submission.wake.release()
        if next_leader:  # last: who was answered meanwhile may be in the next group already
            next_leader.wake.release()

    def _take_group(self) -> list[_Submission[Item, Outcome]]:
        with self._guard:
            group: list[_Submission[Item, Outcome]] = []
            size = 0
            while self._queue:
                self._now, _, first = self._queue[0]
                size += len(first.items)
                if group and size > self._largest_group:
                    break
                group.append(first)
                heappop(self._queue)
            waiting = self._served_until.items()
            self._served_until = {who: until for who, until in waiting if until > self._now}
            return group


class _Submission(Generic[Item, Outcome]):
    """What one caller waits for. `wake` is released when it is done, or when it is to lead."""

    __slots__ = ("client", "done", "error", "items", "outcomes", "wake")

    def __init__(self, items: list[Item], client: str) -> None:
        self.items = items
        self.client = client
        self.outcomes: Sequence[Outcome] = ()
        self.error: BaseException | None = None
        self.done = False
        self.wake = Lock()
        self.wake.acquire()
