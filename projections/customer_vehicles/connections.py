"""When a vehicle was connected lately: the fold of what the connection monitor judged.

It is pure, and a union: events may come in any order, repeated. What is kept is bounded, for a
vehicle may come and go for years; what is forgotten is the oldest, and that it was is remembered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from vehicle_tracker.domain.connection import (
    ConnectionMended,
    Interval,
    Judged,
    judged_by,
    stretches,
    union,
)
from vehicle_tracker.domain.values import vehicle_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vehicle_tracker.domain.connection import ConnectionEvent

MOST = 16
"""So many connections are kept, and so many stretches that late heartbeats told of."""

FORGOTTEN = datetime.min.replace(tzinfo=UTC)
"""The start of the stretch that stands for all that was forgotten: when it began is not known."""


class ConnectionsDocument(Struct, frozen=True, kw_only=True, gc=False):
    """When a vehicle was connected lately.

    `connected_since` is the start of the newest stretch, exact or None: it is None if the stretch
    reaches back to what was forgotten. `connected_until` is its end, None while it lasts.

    `judged` are the newest heartbeats that connected it or were the last before silence, `mended`
    what late ones told of; of both together the stretches are made. Of the heartbeats until
    `forgotten` not all are kept.
    """

    vehicle_id: UUID
    connected_since: datetime | None = None
    connected_until: datetime | None = None
    judged: tuple[Judged, ...] = ()
    mended: tuple[Interval, ...] = ()
    forgotten: datetime | None = None


def with_connection(
    document: ConnectionsDocument | None, event: ConnectionEvent
) -> ConnectionsDocument:
    """The document after the event; the very same one if the event says nothing new.

    As long as at most `MOST` connections and `MOST` stretches that were mended, apart from each
    other, are in it, it says the same as `intervals` of all the events, whatever their order. Of
    more, what it says of the newest stretch is still right, or that it does not know.
    """
    document = document or ConnectionsDocument(vehicle_id=vehicle_stream(event.vin))
    after = _bounded(_with_event(document, event))
    if (after.judged, after.mended) == (document.judged, document.mended):
        return document
    newest = stretches(after.judged, after.mended)[-1]
    since = None if newest.start == FORGOTTEN else newest.start
    return replace(after, connected_since=since, connected_until=newest.end)


def _with_event(document: ConnectionsDocument, event: ConnectionEvent) -> ConnectionsDocument:
    if isinstance(event, ConnectionMended):
        return _mended(document, Interval(event.at, event.until))
    judged = judged_by(event)
    if judged in document.judged:
        return document
    if document.forgotten is None or judged.at > document.forgotten:
        return replace(document, judged=_sorted([*document.judged, judged]))
    # Either it was forgotten, or it comes so late that what it ends or begins was.
    return _mended(document, Interval(FORGOTTEN, judged.end)) if judged.end else document


def _bounded(document: ConnectionsDocument) -> ConnectionsDocument:
    """Forget the oldest, one by one; what it was part of has no known start any more."""
    while len(document.judged) > 2 * MOST:
        oldest, following, *_ = document.judged
        document = replace(document, judged=document.judged[1:], forgotten=oldest.at)
        document = _mended(document, Interval(FORGOTTEN, oldest.end or following.at))
    while len(document.mended) > MOST:
        _, second, *others = document.mended
        document = replace(document, mended=(Interval(FORGOTTEN, second.end), *others))
    return document


def _mended(document: ConnectionsDocument, stretch: Interval) -> ConnectionsDocument:
    return replace(document, mended=tuple(union([*document.mended, stretch])))


def _sorted(judged: Iterable[Judged]) -> tuple[Judged, ...]:
    """As they are in the log: a heartbeat that does both connects before it is the last one."""
    return tuple(sorted(judged, key=lambda one: (one.at, one.end is not None)))
