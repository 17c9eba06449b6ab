"""A fleet in a log, and a follower at hand: what the tests of read models begin with."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.customer_vehicles.relational import TABLES
from projections.database import parked_event, projection
from projections.follower import Follower
from read_service.positions import PositionWatch
from vehicle_tracker.archiving import Archived, Archiving, alone_archiving
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from projections.catalog import Following
    from vehicle_tracker.event_log import EventLog

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ALL = NOW + timedelta(days=365)
VINS = [f"YS2R4X2000539940{n}" for n in range(6)]


def heartbeat_row(
    vin: str, at: datetime, received: datetime | None = None, **said: Any
) -> NewEvent:
    """A heartbeat as a row of the log, received when it was recorded unless said otherwise."""
    event = HeartbeatRecorded(received or at, Heartbeat(vin=vin, recorded_at=at, **said))
    return NewEvent(heartbeat_stream(vin), event.version, event.TOPIC, heartbeat.encode(event))


def record(log: EventLog, vin: str, at: datetime, **said: Any) -> int:
    """Append a heartbeat; its position."""
    return append(log, heartbeat_row(vin, at, **said))


def append(log: EventLog, event: NewEvent) -> int:
    """Append a row; its position."""
    with log.writing() as writing:
        return writing.insert([event]).position


def new_follower(log: EventLog, engine: Engine, page: int = 1_000, pages: int = 1) -> Follower:
    """A follower of the relational read model, that stores so many pages in one step."""
    return Follower(replace(CUSTOMER_VEHICLES, pages=pages), log, engine, page)


def catch_up(log: EventLog, engine: Engine, page: int = 1_000, pages: int = 1) -> None:
    """Fold all there is, so many pages in one step."""
    to_the_end(new_follower(log, engine, page, pages))


def to_the_end(follower: Following) -> None:
    """Let it do all there is to do."""
    while follower.catch_up():
        pass


def documents(engine: Engine) -> list[Any]:
    """Every row of the read model, table by table, whichever page wrote it."""
    with engine.connect() as connection:
        return [
            connection.execute(
                select(*(one for one in table.columns if one.name != "changed_position")).order_by(
                    *table.primary_key
                )
            ).all()
            for table in TABLES
        ]


def parked_rows(engine: Engine) -> list[Any]:
    """What is parked, by position."""
    with engine.connect() as connection:
        return list(connection.execute(select(parked_event).order_by(parked_event.c.position)))


def rewind(engine: Engine, position: int) -> None:
    """Put the position back: pages will be delivered again."""
    with engine.begin() as connection:
        connection.execute(update(projection).values(position=position))


def reached(log: EventLog, engine: Engine) -> None:
    """Wait until the read model is where the log is."""
    reader = RelationalCustomerVehicles(engine, CUSTOMER_VEHICLES.name, 120)
    PositionWatch(reader.position, patience_s=20).wait_for(log.head())


@contextmanager
def running(follower: Following) -> Iterator[None]:
    """Run a follower in a thread, and stop it."""
    stop = Event()
    thread = Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def archive(log: EventLog, url: str, before: datetime, at_once: int = 50) -> Archived:
    """Archive what was received before an instant, so many heartbeats at once."""
    with alone_archiving(url) as connection:
        return Archiving(log, connection, at_once, block=7).run(before, lambda *_: None, Event())
