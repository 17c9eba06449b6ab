"""One open stream: what it asked for, and its messages as the server sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from read_service.live.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projections.vehicle_search.model import VehicleQuery
    from read_service.live.cursor import LogCursors

KEEP_ALIVE_S = 10.0
"""So long after the last message a comment is sent: a connection that is dead is noticed by it."""

_AGAIN_AFTER = b"retry: 1000\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a listener wants to hear of; no `vins`: of every vehicle that the query finds."""

    query: VehicleQuery
    vins: frozenset[str]
    counts: bool


class Listener:
    """The body of an answer that does not end: each part is what has happened since the last.

    The last message of a part carries the id from which a client that was cut off goes on. So one
    that got half a part gets all of it again.
    """

    def __init__(
        self,
        asked: Asked,
        position: int,
        cursors: LogCursors,
        leave: Callable[[Listener], None],
    ) -> None:
        self.asked = asked
        self.outbox = Outbox(position)
        self._cursors = cursors
        self._leave = leave
        self._greeted = False

    def __iter__(self) -> Listener:
        """It is read once."""
        return self

    def __next__(self) -> bytes:
        """The next part, at once if something waits; after a while a comment, if nothing does."""
        if not self._greeted:
            self._greeted = True
            return _AGAIN_AFTER + self._id(self.outbox.position)
        taken = self.outbox.take(KEEP_ALIVE_S)
        if taken is None:
            raise StopIteration
        messages, position = taken
        return (b"\n".join(messages) or b":\n") + self._id(position)

    def close(self) -> None:
        """The client is gone, or the server says that this is enough."""
        self.outbox.close()
        self._leave(self)

    def _id(self, position: int) -> bytes:
        return b"id: %b\n\n" % self._cursors.encode(position).encode()


def by_query(listeners: Sequence[Listener]) -> dict[VehicleQuery, list[Listener]]:
    """Those who ask the same, together."""
    asking: dict[VehicleQuery, list[Listener]] = {}
    for one in listeners:
        asking.setdefault(one.asked.query, []).append(one)
    return asking
