"""Rebuilding beside the live model, under writes: rebuilt = live, document by document."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect, text

from projections.catalog import CUSTOMER_VEHICLES
from projections.follower import alone
from projections.rebuild import BusyError, Rebuild
from tests.following import (
    NOW,
    VINS,
    append,
    catch_up,
    documents,
    new_follower,
    parked_rows,
    reached,
    record,
    running,
)
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

NAME = CUSTOMER_VEHICLES.name
pytestmark = pytest.mark.usefixtures("fleet")


def _rebuild(
    log: EventLog, engine: Engine, settings: Settings, page: int = 5, pages: int = 1
) -> Rebuild:
    beside = CUSTOMER_VEHICLES.beside(NAME, engine, settings)
    return Rebuild(replace(CUSTOMER_VEHICLES, rebuilt_pages=pages), beside, log, engine, page)


def _run(work: Rebuild, stop_after: int | None = None) -> tuple[bool, list[int]]:
    """Run a rebuild, perhaps stopped after so many pages; the positions it said."""
    stop, said = Event(), list[int]()

    def say(position: int, _: int) -> None:
        said.append(position)
        if len(said) == stop_after:
            stop.set()

    return work.run(say, stop), said


def _spoil(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE vehicle SET registration_number = 'WRONG'"))


def test_a_rebuild_gives_what_the_log_says(
    event_log: EventLog, engine: Engine, settings: Settings
) -> None:
    """Whatever became of the documents, after a rebuild they are the fold of the log again."""
    append(event_log, NewEvent(heartbeat_stream(VINS[0]), 1, HeartbeatRecorded.TOPIC, b"broken"))
    catch_up(event_log, engine)
    before, indices = documents(engine), inspect(engine).get_indexes("vehicle")
    _spoil(engine)
    done, said = _run(_rebuild(event_log, engine, settings))
    assert done
    assert said == sorted(said)
    assert documents(engine) == before
    assert inspect(engine).get_indexes("vehicle") == indices
    assert f"rebuild_{NAME}" not in inspect(engine).get_schema_names()
    assert len(parked_rows(engine)) == 1


def test_rebuilt_equals_live_under_write_load(
    event_log: EventLog, engine: Engine, settings: Settings
) -> None:
    """While heartbeats come in and are followed, a rebuild swaps in; then nothing is missing."""
    stop = Event()

    def write() -> None:
        second = 0
        while not stop.is_set():
            second += 1
            for vin in VINS:
                record(event_log, vin, NOW + timedelta(hours=1, seconds=second), speed_kmh=1.0)

    writer = Thread(target=write)
    writer.start()
    try:
        with running(new_follower(event_log, engine)):
            for _ in range(3):
                done, _ = _run(_rebuild(event_log, engine, settings, page=50))
                assert done
            stop.set()
            writer.join(20)
            reached(event_log, engine)
    finally:
        stop.set()
        writer.join(20)
    live = documents(engine)
    _run(_rebuild(event_log, engine, settings))
    assert documents(engine) == live


def test_the_position_never_goes_back(
    event_log: EventLog, engine: Engine, settings: Settings
) -> None:
    """Who waited for a position and saw it reached sees it reached after the swap too."""
    catch_up(event_log, engine)
    work = _rebuild(event_log, engine, settings)
    stop = Event()

    def overtake(position: int, _: int) -> None:
        if position == event_log.head() and len(event_log.read(position, 1)) == 0 < overtakes[0]:
            overtakes[0] -= 1
            record(event_log, VINS[0], NOW + timedelta(days=1, seconds=overtakes[0]))
            catch_up(event_log, engine)

    overtakes = [3]
    assert work.run(overtake, stop)
    with engine.connect() as connection:
        position = connection.execute(text("SELECT position FROM projection")).scalar_one()
    assert position == event_log.head()


def test_a_stopped_rebuild_goes_on_where_it_was(
    event_log: EventLog, engine: Engine, settings: Settings
) -> None:
    """Stopped half way nothing has changed; started again it does not begin anew."""
    catch_up(event_log, engine)
    before = documents(engine)
    done, first = _run(_rebuild(event_log, engine, settings), stop_after=2)
    assert not done
    assert documents(engine) == before
    done, rest = _run(_rebuild(event_log, engine, settings))
    assert done
    assert rest[0] > first[-1]
    assert documents(engine) == before


def test_two_rebuilds_at_once(event_log: EventLog, engine: Engine, settings: Settings) -> None:
    """The second is told; the first is not disturbed."""
    with alone(f"rebuild {NAME}", engine), pytest.raises(BusyError):
        _run(_rebuild(event_log, engine, settings))
    assert _run(_rebuild(event_log, engine, settings))[0]


def test_a_model_that_was_never_followed_can_be_rebuilt(
    event_log: EventLog, engine: Engine, settings: Settings
) -> None:
    """A rebuild fills an empty read model, and a follower goes on from there."""
    assert _run(_rebuild(event_log, engine, settings))[0]
    assert len(documents(engine)[1]) == len(VINS)
    assert new_follower(event_log, engine).catch_up() == 0
