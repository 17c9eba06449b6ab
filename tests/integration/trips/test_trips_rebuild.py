"""The trips rebuilt beside the live ones: the same rows, whatever became of those."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from projections.catalog import TRIPS, trips
from projections.follower import Follower
from projections.parked import parked_events, replay
from projections.rebuild import Rebuild
from projections.trips import vehicle as followed_vehicle
from projections.trips.reader import RelationalTrips
from projections.trips.tables import TRIP_TABLES, gone, trip
from read_service.positions import PositionWatch
from tests.following import NOW, VINS, append, record, rewind, to_the_end
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

ROOT = Path(__file__).parents[3]
MINUTE = timedelta(minutes=1)
_NOTHING = dict.fromkeys(("latitude", "longitude", "odometer_km"))


@pytest.fixture
def driven(event_log: EventLog, fleet: Customer, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    """A log of a fleet that drove and stopped, partly late, with a reported trip."""
    monkeypatch.setattr(followed_vehicle, "CHECKPOINT_EVERY", 5)
    for minute in [*range(10, 20), *range(40, 60), *range(20, 40)]:
        speed = 60.0 if minute % 20 < 10 else 0.0
        place = {"latitude": 59 + minute / 100, "longitude": 18.0}
        record(event_log, VINS[0], NOW + minute * MINUTE, speed_kmh=speed, **place)
    reported = Trip(vin=VINS[1], started_at=NOW, driver="Åsa", **_NOTHING)
    reported.end(VINS[1], NOW + 5 * MINUTE, None, None, None)
    event_log.save(reported)
    return event_log


def _rows(engine: Engine) -> list[Any]:
    """All that is kept of trips, table by table; at which page's end it was written is another."""
    with engine.connect() as connection:
        return [
            connection.execute(
                select(*[one for one in table.columns if one.name != "position"]).order_by(
                    *table.primary_key
                )
            ).all()
            for table in TRIP_TABLES
            if table is not gone
        ]


def _follow(log: EventLog, engine: Engine, page: int = 1_000) -> None:
    follower = Follower(trips(log), log, engine, page)
    to_the_end(follower)


def test_a_rebuild_gives_what_the_log_says(
    driven: EventLog, engine: Engine, settings: Settings
) -> None:
    """Row by row, in pages of another size, also where somebody changed the rows."""
    _follow(driven, engine)
    before = _rows(engine)
    assert [len(rows) for rows in before] == [3, 6, 10, 0]
    with engine.begin() as connection:
        connection.execute(text("UPDATE trip SET vin = 'WRONG'"))
        connection.execute(text("DELETE FROM trip_checkpoint"))
    projection = trips(driven)
    beside = projection.beside(TRIPS, engine, settings)
    work = Rebuild(projection, beside, driven, engine, page=3)
    assert work.run(lambda *_: None, Event())
    assert _rows(engine) == before


@pytest.mark.parametrize("page", [1, 3, 1_000])
def test_pages_may_be_of_any_size_and_come_again(
    driven: EventLog, engine: Engine, page: int
) -> None:
    """The trips are the same; delivered again, too."""
    _follow(driven, engine)
    before = _rows(engine)[0]
    rewind(engine, 5)
    _follow(driven, engine, page)
    assert _rows(engine)[0] == before


def test_what_cannot_be_folded_is_parked_and_replayed(driven: EventLog, engine: Engine) -> None:
    """An end of a trip that is not known is parked, and folded once its beginning is there."""
    trip_id = driven.read(0, 1_000)[-1].stream
    ended = [one for one in driven.read(0, 1_000) if one.topic == Trip.Ended.TOPIC]
    broken = NewEvent(heartbeat_stream(VINS[2]), 1, HeartbeatRecorded.TOPIC, b"broken")
    append(driven, broken)
    projection = trips(driven)
    only_ended = replace(projection, topics=projection.topics - {Trip.Created.TOPIC})
    follower = Follower(only_ended, driven, engine, page=1_000)
    to_the_end(follower)
    parked = parked_events(engine, TRIPS)
    assert [row.position for row in parked] == [ended[0].position, driven.head()]
    replay(projection, projection.store(TRIPS, engine), driven, parked[0])
    with engine.connect() as connection:
        found = select(trip.c.ended_at).where(trip.c.trip_id == trip_id)
        assert connection.execute(found).scalar_one() == NOW + 5 * MINUTE
    record(driven, VINS[2], NOW - MINUTE)
    follower = Follower(projection, driven, engine, page=1_000)
    to_the_end(follower)
    assert len(parked_events(engine, TRIPS)) == 1


def test_the_follower_of_trips_is_a_process(
    driven: EventLog, engine: Engine, settings: Settings
) -> None:
    """`follow trips` folds what there is, late heartbeats too, and ends cleanly on SIGTERM."""
    environment = {
        **os.environ,
        "EVENT_LOG_URL": settings.event_log_url,
        "DATABASE_URL": settings.database_url,
    }
    command = [sys.executable, "-m", "projections", "follow", "trips"]
    reader = RelationalTrips(engine, TRIPS, TRIPS)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as following:
        try:
            PositionWatch(reader.position, patience_s=60).wait_for(driven.head())
            late = record(driven, VINS[0], NOW + 15.5 * MINUTE, speed_kmh=0.0)
            PositionWatch(reader.position, patience_s=60).wait_for(late)
        finally:
            following.send_signal(signal.SIGTERM)
            errors = following.communicate(timeout=10)[1]
    assert following.returncode == 0, errors
    assert "Traceback" not in errors
    assert "Warning" not in errors
    assert len(_rows(engine)[0]) == 3
