"""The write service over a fresh event log, in this process, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections import create_app as create_projections
from projections.database import db
from projections.elasticsearch import connect
from read_service.app import create_app as create_read_service
from tests.following import NOW, VINS, record
from vehicle_tracker.domain.customer import Customer, CustomerKey
from vehicle_tracker.domain.vehicle import Vehicle
from write_service.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from elasticsearch import Elasticsearch
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN = "YS2R4X20005399401"
OTHER_VIN = "VLUR4X20009093588"


@pytest.fixture
def write_client(settings: Settings) -> FlaskClient:
    """A client of the write service."""
    return create_app(settings).test_client()


@pytest.fixture
def customer_id(write_client: FlaskClient) -> str:
    """A registered customer."""
    answer = write_client.post("/api/v1/customers", json={"name": "Kalle", "address": "Väg 1"})
    return str(answer.json["customer_id"])


@pytest.fixture
def register(write_client: FlaskClient, customer_id: str) -> Callable[..., Any]:
    """Registers a vehicle of the customer."""

    def register(vin: str = VIN, plate: str = "ABC123", **more: Any) -> Any:
        vehicle = {"vin": vin, "registration_number": plate, "customer_id": customer_id, **more}
        return write_client.post("/api/v1/vehicles", json=vehicle)

    return register


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """A client of the real Elasticsearch."""
    with connect(elasticsearch_url, 30) as client:
        yield client


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The migrated database of the read models."""
    with create_projections(settings).app_context():
        yield db.engine
        db.engine.dispose()


@pytest.fixture
def read_client(settings: Settings, engine: Engine) -> Iterator[FlaskClient]:
    """A client of the read service."""
    app = create_read_service(replace(settings, wait_for_position_s=0.2))
    yield app.test_client()
    with app.app_context():
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
            record(event_log, vin, NOW + timedelta(minutes=minute), speed_kmh=float(minute))
    owner.change_details("Kalles Åkeri", "Väg 1")
    event_log.save(owner)
    return owner
