"""The events that a projection could not fold: seen, folded again once mended, or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from projections.database import parked_event
from projections.store import Change
from vehicle_tracker.domain.connection import ConnectionEvent
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.logged_event import LoggedEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine, Row

    from projections.catalog import Projection
    from projections.store import Store
    from vehicle_tracker.event_log import EventLog


def parked_events(engine: Engine, name: str, position: int | None = None) -> Sequence[Row[Any]]:
    """What a projection has parked, in the log's order; or the event at one position only."""
    found = select(parked_event).where(parked_event.c.projection == name)
    if position is not None:
        found = found.where(parked_event.c.position == position)
    with engine.connect() as connection:
        return connection.execute(found.order_by(parked_event.c.position)).all()


def drop(engine: Engine, name: str, position: int) -> bool:
    """Forget a parked event; the log keeps it. False if it is not parked."""
    gone = delete(parked_event).where(
        parked_event.c.projection == name, parked_event.c.position == position
    )
    with engine.begin() as connection:
        return bool(connection.execute(gone).rowcount)


def replay(projection: Projection, store: Store[Any, Any], log: EventLog, row: Row[Any]) -> None:
    """Fold a parked event again and keep what comes of it. It is parked no longer.

    Raises what decoding, folding or storing raises; it then stays parked. A heartbeat finds its
    place whenever it comes, and so does what was judged of a connection; but a vehicle's or
    customer's own events build on each other, so all of its stream are folded again.

    Errors: also `OvertakenError` if the follower stored meanwhile; then try again.
    """
    after = store.position()
    logged = LoggedEvent(row.position, row.stream, row.version, row.topic, bytes(row.state))
    event = log.event(logged)
    key = projection.key_of(event)
    document = before = store.load([key]).get(key)
    events: list[Any] = [event]
    if not isinstance(event, HeartbeatRecorded | ConnectionEvent):
        document = projection.before_its_own_events(document)
        events = list(log.stream(row.stream))
    for one in events:
        document = projection.evolve(document, one)
    store.amend({key: Change(before, document)}, after=after, replayed=row.position)
