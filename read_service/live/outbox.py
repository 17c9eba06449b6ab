"""What waits to be sent to one listener, however slow: bounded, the newest of each vehicle."""

from __future__ import annotations

from threading import Condition
from typing import TYPE_CHECKING

from prometheus_client import Counter

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_WAITING = 2_000
"""So many messages may wait. A listener that has missed more asks again for all there is."""

RESETS = Counter("stream_resets", "Listeners told to ask again, because they missed too much")

_RESET = {"reset": b"event: reset\ndata: {}\n"}


class Outbox:
    """Messages by what they are about: a newer one takes the place of what was not sent yet.

    They are server-sent events without the empty line at their end, so that an id can follow.
    """

    def __init__(self, position: int) -> None:
        self._changed = Condition()
        self._waiting: dict[str, bytes] = {}
        self._closed = False
        self.position = position
        """All there is to say up to this position of the log was sent, or waits."""

    def put(self, messages: Mapping[str, bytes], position: int | None = None) -> None:
        """Let messages wait; they are all there was to say up to `position`, if one is given."""
        with self._changed:
            self.position = self.position if position is None else position
            if messages and self._waiting.keys() != _RESET.keys():
                self._waiting.update(messages)
                if len(self._waiting) > MOST_WAITING:
                    self._reset()
                self._changed.notify()

    def reset(self, position: int) -> None:
        """Forget what waits: the listener is told to ask again, and hears what comes after."""
        with self._changed:
            self.position = position
            self._reset()
            self._changed.notify()

    def close(self) -> None:
        """Nothing will come any more; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, patience_s: float) -> tuple[list[bytes], int] | None:
        """All that waits, and the position after it; None once it is closed and empty.

        If nothing comes for so long, nothing is taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, patience_s)
            if self._closed and not self._waiting:
                return None
            taken, self._waiting = self._waiting, {}
            return list(taken.values()), self.position

    def _reset(self) -> None:
        if self._waiting.keys() != _RESET.keys():
            RESETS.inc()
        self._waiting = dict(_RESET)
