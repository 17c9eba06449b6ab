"""Followers fold the log into the read models: all of it, in any portions, whatever it holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select, text

from projections import create_app
from projections.catalog import CUSTOMER_VEHICLES
from projections.database import db
from projections.migrated import NotMigratedError, expect_migrated
from projections.status import progress_of
from projections.store import OvertakenError
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
    rewind,
    running,
)
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", [1, 2, 5, 1_000])
def test_pages_of_any_size_make_the_same_documents(
    event_log: EventLog, engine: Engine, fleet: Customer, page: int
) -> None:
    """However the log is portioned, the documents are what it says."""
    catch_up(event_log, engine, page)
    customers, vehicles, *_ = documents(engine)
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
    catch_up(event_log, engine)
    before = documents(engine)
    rewind(engine, position)
    catch_up(event_log, engine, page=4)
    assert documents(engine) == before


def test_what_cannot_be_folded_is_parked_and_the_rest_goes_on(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """Not JSON, never registered, refused by PostgreSQL: parked whole with the reason."""
    broken = NewEvent(heartbeat_stream(VINS[0]), 1, HeartbeatRecorded.TOPIC, b"not JSON")
    positions = [append(event_log, broken)]
    stray = Vehicle(vin="STRAY", registration_number="X", customer_id=uuid4(), labels={})
    stray.decommission()
    row = event_log.mapper.to_stored_event(stray.collect_events()[-1])
    parts = (row.originator_id, row.originator_version, row.topic, row.state)
    positions.append(append(event_log, NewEvent(*parts)))
    nul = Customer(name="a\0b", address="")
    event_log.save(nul)
    positions.append(event_log.head())
    record(event_log, VINS[0], NOW + timedelta(hours=1), attributes={"said": 'å😀 a\0b\n"\\c'})
    catch_up(event_log, engine)
    parked = parked_rows(engine)
    assert [row.position for row in parked] == positions
    assert bytes(parked[0].state) == b"not JSON"
    assert "DecodeError" in parked[0].error
    assert "never registered" in parked[1].error
    assert "UnstorableError" in parked[2].error
    (last,) = [row for row in documents(engine)[1] if row.vin == VINS[0]]
    assert last.last_heartbeat_at == NOW + timedelta(hours=1)
    assert last.attributes == {"said": 'å😀 a\0b\n"\\c'}
    (progress,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert (progress.parked, progress.lag_events()) == (3, 0)


def test_an_event_is_parked_once(event_log: EventLog, engine: Engine) -> None:
    """Folding the same page again parks nothing twice."""
    append(event_log, NewEvent(uuid4(), 1, HeartbeatRecorded.TOPIC, b""))
    for _ in range(2):
        catch_up(event_log, engine)
        rewind(engine, 0)
    assert len(parked_rows(engine)) == 1


def test_events_for_others_are_passed_over(event_log: EventLog, engine: Engine) -> None:
    """An unknown topic is neither folded nor parked: the position goes past it."""
    position = append(event_log, NewEvent(uuid4(), 1, "Trip.Started", b"whatever"))
    assert new_follower(event_log, engine).catch_up() == 1
    assert parked_rows(engine) == []
    (progress,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert progress.position == position


def test_the_age_of_the_oldest_waiting_event_is_known(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """A projection that is behind says since when; even if what waits cannot be read."""
    (at_first,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert (at_first.position, at_first.waiting_since) == (0, fleet.created_on)
    catch_up(event_log, engine)
    record(event_log, VINS[0], NOW + timedelta(days=1))
    (behind,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert behind.waiting_since == NOW + timedelta(days=1)
    catch_up(event_log, engine)
    append(event_log, NewEvent(uuid4(), 1, HeartbeatRecorded.TOPIC, b""))
    (unreadable,) = progress_of([CUSTOMER_VEHICLES.name], event_log, engine)
    assert (unreadable.lag_events(), unreadable.waiting_since) == (1, None)


def test_a_page_is_stored_only_after_the_one_before_it(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """A follower that was overtaken stores nothing: no document goes back in time."""
    store = CUSTOMER_VEHICLES.store(CUSTOMER_VEHICLES.name, engine)
    catch_up(event_log, engine)
    before = documents(engine)
    with pytest.raises(OvertakenError):
        store.store({}, after=3, position=4, parked=[])
    assert store.position() == event_log.head()
    assert documents(engine) == before


def test_it_is_woken_and_finishes_when_told(event_log: EventLog, engine: Engine) -> None:
    """What is appended while it runs is folded; it stops when it is told to."""
    with running(new_follower(event_log, engine)):
        for number in range(3):
            event_log.save(Customer(name=f"Customer {number}", address=""))
            reached(event_log, engine)
    assert len(documents(engine)[0]) == 3


def test_one_of_a_name_is_active_and_another_takes_over(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """A second follower stands by while the first runs, and goes on where that one stopped."""
    idle = new_follower(event_log, engine)
    with running(new_follower(event_log, engine)):
        reached(event_log, engine)
        with running(idle):
            event_log.save(Customer(name="while both run", address=""))
            reached(event_log, engine)
    with running(idle):
        event_log.save(Customer(name="after the first", address=""))
        reached(event_log, engine)
    assert len(documents(engine)[0]) == 3


def test_it_survives_losing_every_connection(
    event_log: EventLog, engine: Engine, database_url: str
) -> None:
    """PostgreSQL throws everybody out: it comes back and misses nothing."""
    with running(new_follower(event_log, engine)):
        event_log.save(Customer(name="before", address=""))
        reached(event_log, engine)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        event_log.save(Customer(name="after", address=""))
        reached(event_log, engine)
    assert len(documents(engine)[0]) == 2


def test_it_waits_for_the_migration(event_log: EventLog, settings: Settings) -> None:
    """Started before the database is migrated it waits, and folds once it is."""
    event_log.save(Customer(name="early", address=""))
    with create_app(settings).app_context():
        follower = new_follower(event_log, db.engine)
        with pytest.raises(NotMigratedError, match="migration None"):
            expect_migrated(db.engine)
        with running(follower):
            upgrade()
            reached(event_log, db.engine)
        expect_migrated(db.engine)
        assert len(documents(db.engine)[0]) == 1
        db.engine.dispose()


def test_a_later_release_may_have_migrated(engine: Engine) -> None:
    """The release before works on while the next one is rolled out, or rolled back."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'a later one'"))
    expect_migrated(engine)
    upgrade()
    expect_migrated(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(NotMigratedError, match="migration 0001"):
        expect_migrated(engine)


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


def _run(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "EVENT_LOG_URL": settings.event_log_url,
        "DATABASE_URL": settings.database_url,
    }
    command = [sys.executable, "-m", "projections", *arguments]
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
    with _run(settings, "db", "upgrade") as one, _run(settings, "db", "upgrade") as other:
        for migration in (one, other):
            assert migration.wait(timeout=60) == 0, migration.communicate()
    with _run(settings, "follow", "nothing") as unknown:
        assert "customer_vehicles" in unknown.communicate(timeout=60)[1]
        assert unknown.returncode == 2
    with _run(settings, "follow", "customer_vehicles") as following:
        try:
            event_log.save(Customer(name="Kalle", address=""))
            with create_app(replace(settings, log_format="json")).app_context():
                reached(event_log, db.engine)
                db.engine.dispose()
        finally:
            following.send_signal(signal.SIGTERM)
            errors = following.communicate(timeout=10)[1]
    assert following.returncode == 0, errors


def test_a_request_id_follows_a_heartbeat(
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    write_client: FlaskClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An id given with a POST is in the log lines of the write service and of the follower."""
    path = f"/api/v1/vehicles/{VINS[0]}/heartbeats"
    answer = write_client.post(path, headers={"X-Request-ID": "find-me"})
    write_client.post(path)
    with caplog.at_level("INFO"):
        catch_up(event_log, engine)
    folded = [line for line in caplog.text.splitlines() if "'folded'" in line]
    assert len(folded) == 1
    assert "find-me" in folded[0]
    assert str(answer.json["position"]) in folded[0]
