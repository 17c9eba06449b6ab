"""How late nearly all heartbeats arrive, and so up to when silence may be judged.

If nearly all that arrives is late, it is not the vehicles that are silent: the tracker is behind,
or the network before it. So for silence time passes only as far as heartbeats are being heard. It
is a fold over the log and reads no clock (decision 29).
"""

from __future__ import annotations

from itertools import accumulate

import msgspec

from write_service.connection_rule import SECOND

WINDOW = 10 * SECOND
"""What arrives within so many microseconds says how late it is until the next so many are over."""

FEWEST = 100
"""Of fewer nothing follows: a few vehicles may well be late themselves."""

EARLIER = 0.1
"""The share of them that may be earlier: all others are as late as is said, or later."""

MOST_S = 86_400
"""What is later is no news that was held up, but somebody who tells of the past: not counted."""


class Lateness(msgspec.Struct, array_like=True):
    """What must be remembered of all heartbeats. All in microseconds.

    `late` is how late nearly all were in the last window, in whole seconds; `passed` the instant up
    to which silence was judged when the last heartbeat came: time does not go back when lateness
    grows.
    """

    late: int = 0
    passed: int = 0
    opened: int = 0
    counts: dict[int, int] = msgspec.field(default_factory=dict)
    """How many of the window that was opened last were late by so many seconds."""

    def judged(self, until: int) -> int:
        """Up to when silence may be judged if all received before `until` has been heard.

        Never beyond `until`, so that no write process whose clock is ahead takes others along.
        """
        return min(until, max(self.passed, until - self.late))

    def heard(self, recorded: int, received: int, *, newest: bool) -> int:
        """Up to when silence may be judged when the next heartbeat of the log has been heard.

        If it is its vehicle's newest it also says how late those after it are likely to be.
        """
        passed = received - self.late
        if passed > self.passed:
            self.passed = passed
        else:
            passed = self.passed
        if newest:
            if not -WINDOW < received - self.opened < WINDOW:
                self.late = self._of_nearly_all()
                self.opened, self.counts = received, {}
            late_s = (received - recorded) // SECOND if recorded < received else 0
            if late_s <= MOST_S:
                self.counts[late_s] = self.counts.get(late_s, 0) + 1
        return min(received, passed)

    def _of_nearly_all(self) -> int:
        heard = sum(self.counts.values())
        if heard < FEWEST:
            return 0
        ordered = sorted(self.counts)
        as_early = accumulate(self.counts[late_s] for late_s in ordered)
        shares = zip(ordered, as_early, strict=True)
        return SECOND * next(late_s for late_s, count in shares if count > heard * EARLIER)
