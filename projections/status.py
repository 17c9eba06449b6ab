"""How far each projection is behind the log, and whether it moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import func, select

from projections.database import parked_event, projection
from vehicle_tracker.domain.connection import decoders
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing.domain import Aggregate
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog

STALLED_AFTER = timedelta(seconds=10)

_VERDICTS = tuple(decoders)
"""The topics of what the connection monitor appends."""

State = Literal["live", "catching_up", "stalled", "ahead_of_log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a projection is. `waiting_since`: how old the oldest event is that is not in it."""

    name: str
    position: int
    head: int
    parked: int
    updated_at: datetime | None
    waiting_since: datetime | None

    def state(self, now: datetime) -> State:
        """Whether it is where the log is, or moves, or stands still behind it.

        Ahead of the log is what was folded from another log than this one: rebuild it.
        """
        if self.position > self.head:
            return "ahead_of_log"
        if self.position == self.head:
            return "live"
        moved_at = max(filter(None, (self.updated_at, self.waiting_since)), default=now)
        return "catching_up" if now - moved_at < STALLED_AFTER else "stalled"

    def lag_events(self) -> int:
        """By how many positions it is behind."""
        return max(0, self.head - self.position)

    def lag_seconds(self, now: datetime) -> float:
        """How long the oldest event that is not in it has waited."""
        since = self.waiting_since
        return max(0.0, (now - since).total_seconds()) if since else 0.0


def progress_of(names: Iterable[str], log: EventLog, engine: Engine) -> list[Progress]:
    """The progress of the projections of these names.

    The head is read last: a projection that is where the log was is not ahead of it.
    """
    with engine.connect() as connection:
        stored = {row.name: row for row in connection.execute(select(projection))}
        count = select(parked_event.c.projection, func.count()).group_by(parked_event.c.projection)
        parked: dict[str, int] = {row[0]: row[1] for row in connection.execute(count)}
    head = log.head()
    found = []
    for name in names:
        row = stored.get(name)
        position = row.position if row else 0
        found.append(
            Progress(
                name=name,
                position=position,
                head=head,
                parked=parked.get(name, 0),
                updated_at=row.updated_at if row else None,
                waiting_since=time_of_next(log, position) if position < head else None,
            )
        )
    return found


def time_of_next(log: EventLog, position: int) -> datetime | None:
    """When the event after a position was appended; unknown if it cannot be decoded.

    What the connection monitor appends says nothing of that, and follows from what came before.
    """
    logged = log.next_besides(_VERDICTS, position)
    if logged is None:
        return None
    try:
        event = cast("HeartbeatRecorded | Aggregate.Event", log.event(logged))
    except Exception:  # noqa: BLE001 # the follower parks it and says why
        return None
    return event.received_at if isinstance(event, HeartbeatRecorded) else event.timestamp
