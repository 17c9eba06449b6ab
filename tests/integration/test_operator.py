"""`python -m projections …`: what an operator types, and what is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import update

from projections import create_app
from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.relational import vehicle
from projections.database import parked_event
from tests.following import VINS, append, catch_up, documents, parked_rows
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from click.testing import Result
    from flask import Flask
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

NAME = CUSTOMER_VEHICLES.name
pytestmark = pytest.mark.usefixtures("fleet")


@pytest.fixture
def app(settings: Settings, engine: Engine) -> Flask:
    """The application behind the commands."""
    return create_app(settings)


def _type(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(word) for word in words])


@pytest.fixture
def broken(event_log: EventLog) -> int:
    """The position of an event that cannot be decoded."""
    return append(event_log, NewEvent(uuid4(), 1, HeartbeatRecorded.TOPIC, b"broken"))


def test_parked_events_are_listed_shown_and_dropped(
    app: Flask, event_log: EventLog, engine: Engine, broken: int
) -> None:
    """An operator sees what was parked and why, all of it, and may forget it."""
    catch_up(event_log, engine)
    listed = _type(app, "parked", "list", NAME).output
    assert str(broken) in listed
    assert "DecodeError" in listed
    shown = _type(app, "parked", "show", NAME, broken).output
    assert "state      broken" in shown
    assert _type(app, "parked", "drop", NAME, broken).exit_code == 0
    assert _type(app, "parked", "list", NAME).output == ""
    again = _type(app, "parked", "drop", NAME, broken)
    assert again.exit_code == 2
    assert "has parked no event" in again.output


def test_what_still_cannot_be_folded_stays_parked(
    app: Flask, event_log: EventLog, engine: Engine, broken: int
) -> None:
    """A replay that fails says why, exits with 1, and leaves the event parked."""
    catch_up(event_log, engine)
    result = _type(app, "parked", "replay", NAME)
    assert result.exit_code == 1
    assert f"{broken} stays parked: " in result.output
    assert len(parked_rows(engine)) == 1


def test_a_mended_event_is_folded_where_it_belongs(
    app: Flask, event_log: EventLog, engine: Engine
) -> None:
    """A vehicle's own event that was parked is folded before those that came after it."""
    vin = VINS[0]
    changing = event_log.repository.get(vehicle_stream(vin))
    assert isinstance(changing, Vehicle)
    changing.change_registration_number("SECOND")
    event_log.save(changing)
    position = event_log.head()
    changing.change_labels({"depot": "Södertälje"})
    event_log.save(changing)
    (row,) = event_log.read(position - 1, 1)
    refuse = {"position": position, "projection": NAME, "error": "a defect, mended since"}
    catch_up(event_log, engine)
    with engine.begin() as connection:
        connection.execute(
            parked_event.insert().values(**(row._asdict() | refuse), parked_at=changing.modified_on)
        )
    before = documents(engine)
    with engine.begin() as connection:
        spoiled = update(vehicle).where(vehicle.c.vin == vin)
        connection.execute(spoiled.values(registration_number="FIRST"))
    assert f"{position} is folded." in _type(app, "parked", "replay", NAME, position).output
    assert documents(engine) == before
    assert parked_rows(engine) == []


def test_a_rebuild_by_command(app: Flask, engine: Engine, event_log: EventLog) -> None:
    """It says what it does and that it is done."""
    result = _type(app, "rebuild", NAME)
    assert result.exit_code == 0, result.output
    assert "customer_vehicles is rebuilt." in result.output
    assert len(documents(engine)[1]) == len(VINS)


@pytest.mark.parametrize("words", [("rebuild",), ("follow",), ("parked", "list")])
def test_a_typo_is_answered_with_the_names_there_are(words: tuple[str, ...], app: Flask) -> None:
    """A projection nobody knows: the answer lists those there are."""
    result = _type(app, *words, "customer_vehicle")
    assert result.exit_code == 2
    assert "there are: customer_vehicles" in result.output
