"""Followers fold the log into the read models: all of it, in any portions, whatever it holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select, update

from projections import create_app
from projections.app import expect_migrated
from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.customer_vehicles.relational import customer, vehicle
from projections.database import db, parked_event, projection
from projections.follower import Follower
from projections.status import progress_of
from projections.store import OvertakenError
from read_service.positions import PositionWatch
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer, CustomerKey
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.recorder import NewEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
VINS = [f"YS2R4X2000539940{n}" for n in range(6)]


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The migrated database of the read models."""
    with create_app(settings).app_context():
        upgrade()
        yield db.engine
        db.engine.dispose()


@pytest.fixture
def fleet(event_log: EventLog) -> Customer:
    """A customer with six vehicles and 18 heartbeats, in a log of 27 events."""
    owner = Customer(name="Kalle", address="Väg 1")
    event_log.save(owner, CustomerKey("Kalle", "Väg 1", owner.id))
    for number, vin in enumerate(VINS):
        event_log.save(
            Vehicle(vin=vin, registration_number=f"A{number}", customer_id=owner.id, labels={})
        )
    for minute in (2, 0, 1):
        for vin in VINS:
            _record(event_log, vin, NOW + timedelta(minutes=minute), speed_kmh=float(minute))
    owner.change_details("Kalles Åkeri", "Väg 1")
    event_log.save(owner)
    return owner


def _record(log: EventLog, vin: str, at: datetime, **said: Any) -> int:
    event = HeartbeatRecorded(at, Heartbeat(vin=vin, recorded_at=at, **said))
    state = heartbeat.encode(event)
    return _append(log, NewEvent(heartbeat_stream(vin), event.version, event.TOPIC, state))


def _append(log: EventLog, event: NewEvent) -> int:
    with log.writing() as writing:
        return writing.insert([event]).position


def _follower(log: EventLog, engine: Engine, page: int = 1_000) -> Follower:
    return Follower(CUSTOMER_VEHICLES, log, engine, page)


def _catch_up(log: EventLog, engine: Engine, page: int = 1_000) -> None:
    follower = _follower(log, engine, page)
    while follower.catch_up():
        pass


def _documents(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return [
            connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in (customer, vehicle)
        ]


def _parked(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(parked_event).order_by(parked_event.c.position)))


def _rewind(engine: Engine, position: int) -> None:
    with engine.begin() as connection:
        connection.execute(update(projection).values(position=position))


def _reached(log: EventLog, engine: Engine) -> None:
    """Wait until the read model is where the log is."""
    reader = RelationalCustomerVehicles(engine, CUSTOMER_VEHICLES.name, 120)
    PositionWatch(reader.position, patience_s=20).wait_for(log.head())


@contextmanager
def _running(follower: Follower) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.parametrize("page", [1, 2, 5, 1_000])
def test_pages_of_any_size_make_the_same_documents(
    event_log: EventLog, engine: Engine, fleet: Customer, page: int
) -> None:
    """However the log is portioned, the documents are what it says."""
    _catch_up(event_log, engine, page)
    customers, vehicles = _documents(engine)
    assert [(row.name, row.version) for row in customers] == [("Kalles Åkeri", 2)]
    assert sorted(row.vin for row in vehicles) == VINS
    newest = NOW + timedelta(minutes=2)
    assert {(row.last_heartbeat_at, row.speed_kmh) for row in vehicles} == {(newest, 2.0)}
    (progress,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert (progress.position, progress.lag_events()) == (event_log.head(), 0)


@pytest.mark.parametrize("position", [0, 1, 9, 20])
def test_redelivery_changes_nothing(
    event_log: EventLog, engine: Engine, fleet: Customer, position: int
) -> None:
    """Pages that are folded again leave every document as it was."""
    _catch_up(event_log, engine)
    before = _documents(engine)
    _rewind(engine, position)
    _catch_up(event_log, engine, page=4)
    assert _documents(engine) == before


def test_what_cannot_be_folded_is_parked_and_the_rest_goes_on(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """Not JSON, never registered, refused by PostgreSQL: parked whole with the reason."""
    broken = NewEvent(heartbeat_stream(VINS[0]), 1, HeartbeatRecorded.TOPIC, b"not JSON")
    positions = [_append(event_log, broken)]
    stray = Vehicle(vin="STRAY", registration_number="X", customer_id=uuid4(), labels={})
    stray.decommission()
    row = event_log.mapper.to_stored_event(stray.collect_events()[-1])
    parts = (row.originator_id, row.originator_version, row.topic, row.state)
    positions.append(_append(event_log, NewEvent(*parts)))
    nul = Customer(name="a\0b", address="")
    event_log.save(nul)
    positions.append(event_log.head())
    positions.append(
        _record(event_log, VINS[0], NOW + timedelta(minutes=9), attributes={"said": "a\0b"})
    )
    _record(event_log, VINS[0], NOW + timedelta(hours=1), attributes={"said": "å😀"})
    _catch_up(event_log, engine)
    parked = _parked(engine)
    assert [row.position for row in parked] == positions
    assert bytes(parked[0].state) == b"not JSON"
    assert "DecodeError" in parked[0].error
    assert "never registered" in parked[1].error
    assert "UnstorableError" in parked[2].error
    (last,) = [row for row in _documents(engine)[1] if row.vin == VINS[0]]
    assert last.last_heartbeat_at == NOW + timedelta(hours=1)
    assert last.attributes == {"said": "å😀"}
    (progress,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert (progress.parked, progress.lag_events()) == (4, 0)


def test_an_event_is_parked_once(event_log: EventLog, engine: Engine) -> None:
    """Folding the same page again parks nothing twice."""
    _append(event_log, NewEvent(uuid4(), 1, HeartbeatRecorded.TOPIC, b""))
    for _ in range(2):
        _catch_up(event_log, engine)
        _rewind(engine, 0)
    assert len(_parked(engine)) == 1


def test_events_for_others_are_passed_over(event_log: EventLog, engine: Engine) -> None:
    """An unknown topic is neither folded nor parked: the position goes past it."""
    position = _append(event_log, NewEvent(uuid4(), 1, "Trip.Started", b"whatever"))
    assert _follower(event_log, engine).catch_up() == 1
    assert _parked(engine) == []
    (progress,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert progress.position == position


def test_the_age_of_the_oldest_waiting_event_is_known(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """A projection that is behind says since when; even if what waits cannot be read."""
    (at_first,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert (at_first.position, at_first.waiting_since) == (0, fleet.created_on)
    _catch_up(event_log, engine)
    _record(event_log, VINS[0], NOW + timedelta(days=1))
    (behind,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert behind.waiting_since == NOW + timedelta(days=1)
    _catch_up(event_log, engine)
    _append(event_log, NewEvent(uuid4(), 1, HeartbeatRecorded.TOPIC, b""))
    (unreadable,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert (unreadable.lag_events(), unreadable.waiting_since) == (1, None)


def test_a_page_is_stored_only_after_the_one_before_it(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """A follower that was overtaken stores nothing: no document goes back in time."""
    store = CUSTOMER_VEHICLES.store(CUSTOMER_VEHICLES.name, engine)
    _catch_up(event_log, engine)
    before = _documents(engine)
    with pytest.raises(OvertakenError):
        store.store({}, after=3, position=4, parked=[])
    assert store.position() == event_log.head()
    assert _documents(engine) == before


def test_it_is_woken_and_finishes_when_told(event_log: EventLog, engine: Engine) -> None:
    """What is appended while it runs is folded; it stops when it is told to."""
    with _running(_follower(event_log, engine)):
        for number in range(3):
            event_log.save(Customer(name=f"Customer {number}", address=""))
            _reached(event_log, engine)
    assert len(_documents(engine)[0]) == 3


def test_one_of_a_name_is_active_and_another_takes_over(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """A second follower stands by while the first runs, and goes on where that one stopped."""
    idle = _follower(event_log, engine)
    with _running(_follower(event_log, engine)):
        _reached(event_log, engine)
        with _running(idle):
            event_log.save(Customer(name="while both run", address=""))
            _reached(event_log, engine)
    with _running(idle):
        event_log.save(Customer(name="after the first", address=""))
        _reached(event_log, engine)
    assert len(_documents(engine)[0]) == 3


def test_it_survives_losing_every_connection(
    event_log: EventLog, engine: Engine, database_url: str
) -> None:
    """PostgreSQL throws everybody out: it comes back and misses nothing."""
    with _running(_follower(event_log, engine)):
        event_log.save(Customer(name="before", address=""))
        _reached(event_log, engine)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        event_log.save(Customer(name="after", address=""))
        _reached(event_log, engine)
    assert len(_documents(engine)[0]) == 2


def test_it_waits_for_the_migration(event_log: EventLog, settings: Settings) -> None:
    """Started before the database is migrated it waits, and folds once it is."""
    event_log.save(Customer(name="early", address=""))
    with create_app(settings).app_context():
        follower = _follower(event_log, db.engine)
        with pytest.raises(RuntimeError, match="migration None"):
            expect_migrated(db.engine)
        with _running(follower):
            upgrade()
            _reached(event_log, db.engine)
        expect_migrated(db.engine)
        assert len(_documents(db.engine)[0]) == 1
        db.engine.dispose()


def test_the_migrations_make_what_the_models_say(event_log: EventLog, engine: Engine) -> None:
    """After `db upgrade` autogenerate finds nothing to do, and leaves the event log alone."""
    with engine.connect() as connection:
        options = {
            "include_object": lambda *given: not (given[2] == "table" and given[4] is None),
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, db.metadata) == []
    downgrade(revision="base")
    with engine.connect() as connection:
        assert connection.execute(select(func.to_regclass("vehicle"))).scalar() is None
    assert event_log.head() == 0
    upgrade()


def _flask(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "EVENT_LOG_URL": settings.event_log_url,
        "DATABASE_URL": settings.database_url,
    }
    command = [sys.executable, "-m", "flask", "--app", "projections", *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_commands(settings: Settings, event_log: EventLog) -> None:
    """`db upgrade`, twice at once; `follow NAME` until SIGTERM; an unknown name lists the known."""
    with _flask(settings, "db", "upgrade") as one, _flask(settings, "db", "upgrade") as other:
        for migration in (one, other):
            assert migration.wait(timeout=60) == 0, migration.communicate()
    with _flask(settings, "follow", "nothing") as unknown:
        assert "customer_vehicles" in unknown.communicate(timeout=60)[1]
        assert unknown.returncode == 2
    with _flask(settings, "follow", "customer_vehicles") as following:
        try:
            event_log.save(Customer(name="Kalle", address=""))
            with create_app(replace(settings, log_format="json")).app_context():
                _reached(event_log, db.engine)
                db.engine.dispose()
        finally:
            following.send_signal(signal.SIGTERM)
            errors = following.communicate(timeout=10)[1]
    assert following.returncode == 0, errors
