"""Limits of silence and since when, through HTTP: whose limit holds, what the monitor judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from flask_migrate import downgrade, upgrade

from projections.catalog import CUSTOMER_VEHICLES
from projections.database import db
from projections.parked import parked_events, replay
from projections.rebuild import Rebuild
from projections.store import Parked, park
from read_service import schemas
from read_service.app import create_app
from tests.following import VINS, append, catch_up, documents, record
from vehicle_tracker.domain import connection
from vehicle_tracker.domain.connection import (
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
    connection_stream,
)
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.schemas import rfc3339
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.domain.connection import ConnectionEvent
    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN = VINS[0]
AGE = timedelta(seconds=60)
LIMIT_S = 120


@pytest.fixture
def read(settings: Settings, engine: Engine) -> Iterator[FlaskClient]:
    """A client of the read service."""
    app = create_app(settings)
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def write(write_client: FlaskClient, event_log: EventLog, engine: Engine) -> Callable[..., Any]:
    """Writes, and folds what was written."""

    def write(method: str, path: str, body: dict[str, Any]) -> Any:
        answer = write_client.open(f"/api/v1/{path}", method=method, json=body)
        catch_up(event_log, engine)
        return answer

    return write


def _judge(log: EventLog, engine: Engine, *events: ConnectionEvent) -> None:
    for event in events:
        row = NewEvent(
            connection_stream(event.vin), event.version, event.TOPIC, connection.encode(event)
        )
        append(log, row)
    catch_up(log, engine)


def _shown(read: FlaskClient) -> tuple[str, int]:
    """The vehicle's status and limit, the same wherever it is shown and counted."""
    one = read.get(f"/api/v1/vehicles/{VIN}").json
    status = one["status"]
    listed = read.get(f"/api/v1/vehicles?q={VIN}").json
    assert listed["items"][0]["status"] == status
    assert listed["items"][0]["status_since"] == one["status_since"]
    assert (listed["facets"]["status"][status], listed["total"]) == (1, 1)
    assert read.get(f"/api/v1/vehicles?status={status}").json["total"] == 1
    assert [item["vin"] for item in read.get("/api/v1/vehicles?sort=-status").json["items"]] == [
        VIN
    ]
    customers = read.get("/api/v1/customers").json["items"]
    assert sum(customer["status"][status] for customer in customers) == 1
    (demo,) = read.get("/search").json
    assert demo["online"] is (status == "connected")
    return status, one["disconnect_after_s"]


def test_whose_limit_holds(
    write: Callable[..., Any], read: FlaskClient, event_log: EventLog, customer_id: str
) -> None:
    """The vehicle's own, else its customer's, else that of all; null takes one away again."""
    record(event_log, VIN, datetime.now(UTC) - AGE)
    vehicle = {"vin": VIN, "registration_number": "ABC123", "customer_id": customer_id}
    answer = write("POST", "vehicles", {**vehicle, "disconnect_after_s": 1})
    assert answer.status_code == 201
    assert _shown(read) == ("disconnected", 1)
    vehicles, customers = f"vehicles/{VIN}", f"customers/{customer_id}"
    other = {"name": "Johan", "address": "Väg 2", "disconnect_after_s": 30}
    buyer = write("POST", "customers", other).json["customer_id"]
    for path, changes, shown in (
        (vehicles, {"disconnect_after_s": None}, ("connected", 120)),
        (customers, {"disconnect_after_s": 59}, ("disconnected", 59)),
        (vehicles, {"disconnect_after_s": 600}, ("connected", 600)),
        (vehicles, {"disconnect_after_s": None}, ("disconnected", 59)),
        (customers, {"disconnect_after_s": 2_592_000}, ("connected", 2_592_000)),
        (vehicles, {"customer_id": buyer}, ("disconnected", 30)),
        (f"customers/{buyer}", {"disconnect_after_s": None}, ("connected", 120)),
    ):
        assert write("PATCH", path, changes).status_code == 200
        assert _shown(read) == shown, (path, changes)
    body = read.get(f"/api/v1/{customers}").json
    schemas.Customer().load(body)
    assert body["disconnect_after_s"] == 2_592_000
    assert read.get(f"/api/v1/customers/{buyer}").json["disconnect_after_s"] is None


def test_a_limit_may_be_null_from_the_beginning(
    write: Callable[..., Any], read: FlaskClient, customer_id: str
) -> None:
    """Null is as good as nothing; registering a customer again with null leaves its limit."""
    new = {"name": "Johan", "address": "Väg 2", "disconnect_after_s": None}
    answer = write("POST", "customers", new)
    assert answer.status_code == 201
    write("PATCH", f"customers/{answer.json['customer_id']}", {"disconnect_after_s": 60})
    assert write("POST", "customers", new).json["customer_id"] == answer.json["customer_id"]
    shown = read.get(f"/api/v1/customers/{answer.json['customer_id']}").json
    assert shown["disconnect_after_s"] == 60
    vehicle = {"vin": VIN, "registration_number": "ABC123", "customer_id": customer_id}
    assert write("POST", "vehicles", {**vehicle, "disconnect_after_s": None}).status_code == 201
    assert read.get(f"/api/v1/vehicles/{VIN}").json["disconnect_after_s"] == 120


@pytest.mark.parametrize("limit", [0, -1, 2_592_001, 1.5, 60.0, "60", True, [60], {}])
def test_what_is_no_limit_is_refused(
    limit: Any, write_client: FlaskClient, register: Callable[..., Any], customer_id: str
) -> None:
    """The field is named, and what was expected of it, in all four places."""
    register()
    customer = {"name": "Johan", "address": "Väg 2"}
    vehicle = {"vin": VINS[1], "registration_number": "DEF456", "customer_id": customer_id}
    for method, path, body in (
        ("POST", "customers", customer),
        ("PATCH", f"customers/{customer_id}", {}),
        ("POST", "vehicles", vehicle),
        ("PATCH", f"vehicles/{VIN}", {}),
    ):
        answer = write_client.open(
            f"/api/v1/{path}", method=method, json={**body, "disconnect_after_s": limit}
        )
        assert answer.status_code == 422
        expected = "expected whole seconds, 1 to 2592000, or null"
        assert answer.json["errors"] == {"disconnect_after_s": [expected]}


def test_since_when_it_is_connected(
    register: Callable[..., Any], read: FlaskClient, event_log: EventLog, engine: Engine
) -> None:
    """Not known until it is judged; then since its heartbeats began, late ones counted."""
    now = datetime.now(UTC)
    first, second, newest = (now - timedelta(minutes=minutes) for minutes in (30, 10, 1))

    def since() -> Any:
        _shown(read)
        return read.get(f"/api/v1/vehicles/{VIN}").json["status_since"]

    register(VIN)
    for at in (first, second, newest):
        record(event_log, VIN, at)
    catch_up(event_log, engine)
    assert since() is None
    began = [VehicleConnected(VIN, first, LIMIT_S), VehicleDisconnected(VIN, first, LIMIT_S)]
    _judge(event_log, engine, *began)
    assert since() is None
    _judge(event_log, engine, VehicleConnected(VIN, second, LIMIT_S))
    assert since() == rfc3339(second)
    late = now - timedelta(minutes=20)
    _judge(event_log, engine, ConnectionMended(VIN, late, LIMIT_S, late, second))
    assert since() == rfc3339(late)
    _judge(event_log, engine, ConnectionMended(VIN, first + AGE, LIMIT_S, first, late))
    assert since() == rfc3339(first)


@pytest.mark.usefixtures("fleet")
def test_a_judgement_that_was_parked_finds_its_place(event_log: EventLog, engine: Engine) -> None:
    """Folded again after those that came later, it makes the same document."""
    now = datetime.now(UTC)
    events = [
        VehicleConnected(VIN, now - 3 * AGE, LIMIT_S),
        VehicleDisconnected(VIN, now - 2 * AGE, LIMIT_S),
        VehicleConnected(VIN, now, LIMIT_S),
    ]
    _judge(event_log, engine, *events)
    expected = documents(engine)
    (row,) = [one for one in event_log.read(0, 100) if one.version == events[1].version]
    with engine.begin() as opened:
        park(opened, CUSTOMER_VEHICLES.name, [Parked(row, "a defect, mended since")])
        opened.exec_driver_sql("DELETE FROM connections")
    store = CUSTOMER_VEHICLES.store(CUSTOMER_VEHICLES.name, engine)
    (parked,) = parked_events(engine, CUSTOMER_VEHICLES.name)
    replay(CUSTOMER_VEHICLES, store, event_log, parked)
    _, _, (alone,), _ = documents(engine)
    assert alone.connected_since == events[1].recorded_at
    with engine.begin() as opened:
        opened.exec_driver_sql("UPDATE projection SET position = 0, generation = generation + 1")
    catch_up(event_log, engine)
    assert documents(engine) == expected


def test_a_rebuild_fills_what_a_migration_added(
    event_log: EventLog, engine: Engine, fleet: Customer, settings: Settings
) -> None:
    """What was folded before is kept, and what older releases passed over is there afterwards."""
    fleet.change_disconnect_after(60)
    vehicle: Vehicle = event_log.repository.get(vehicle_stream(VIN))
    vehicle.change_disconnect_after(30)
    event_log.save(fleet, vehicle)
    _judge(event_log, engine, VehicleConnected(VIN, datetime.now(UTC), LIMIT_S))
    before = documents(engine)
    assert [one.disconnect_after_s for one in before[0]] == [60]
    assert len(before[2]) == 1
    downgrade(revision="0002")
    upgrade()
    migrated = documents(engine)
    assert migrated[1] == before[1]
    assert (migrated[0][0].disconnect_after_s, migrated[2]) == (None, [])
    beside = CUSTOMER_VEHICLES.beside(CUSTOMER_VEHICLES.name, engine, settings)
    rebuild = Rebuild(CUSTOMER_VEHICLES, beside, event_log, engine, page=100)
    assert rebuild.run(lambda *_: None, Event())
    assert documents(engine) == before
