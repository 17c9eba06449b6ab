"""The fleet that every adapter of `VehicleSearch` is asked about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from flask_migrate import upgrade
from psycopg.conninfo import conninfo_to_dict

from projections import create_app
from projections.catalog import CUSTOMER_VEHICLES
from projections.database import db
from projections.follower import Follower
from projections.vehicle_search.relational import RelationalVehicleSearch
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.recorder import NewEvent
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.vehicle_search.model import VehicleSearch

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
CUSTOMERS = {
    "Kalles Grustransporter AB": [
        ("YS2R4X20005399401", "ABC123", {"depå": "Södertälje"}, 30),
        ("VLUR4X20009093588", "DEF 456", {}, 121),
        ("VLUR4X20009048066", "GHI-789", {"depå": "Umeå"}, None),
    ],
    "Johans Bulk AB": [
        ("YS2R4X20005388011", "JKL012", {}, 0),
        ("YS2R4X20005387949", "MNO345", {"rabatt": "50%", "kod": "a_b"}, 120),
    ],
    "Ærlige Åkare & Söner": [
        ("YS2R4X20005387765", "PQR678", {"a\\b": "c"}, 3_600),
        ("YS2R4X20005387055", "STU901", {}, -240),
    ],
    "Skrot AB": [("WVWZZZ1JZXW000001", "ABC999", {}, 10)],
    "Utan fordon AB": [],
}
"""By customer: VIN, plate, labels, and how old the newest heartbeat is at `NOW` in seconds."""

SCRAPPED = "WVWZZZ1JZXW000001"


def _register(log: EventLog) -> dict[str, Any]:
    """Write the fleet into the log; answers the customers' ids by name."""
    ids: dict[str, Any] = {}
    for name, vehicles in CUSTOMERS.items():
        customer = Customer(name=name, address="Vägen 1")
        ids[name] = customer.id
        log.save(customer)
        for vin, plate, labels, age_s in vehicles:
            vehicle = Vehicle(
                vin=vin, registration_number=plate, customer_id=customer.id, labels=labels
            )
            log.save(vehicle)
            if age_s is not None:
                _record(log, vin, NOW - timedelta(seconds=age_s))
            if vin == SCRAPPED:
                vehicle.decommission()
                log.save(vehicle)
    return ids


def _record(log: EventLog, vin: str, at: datetime) -> None:
    event = HeartbeatRecorded(at, Heartbeat(vin=vin, recorded_at=at))
    row = NewEvent(heartbeat_stream(vin), event.version, event.TOPIC, heartbeat.encode(event))
    with log.writing() as writing:
        writing.insert([row])


@pytest.fixture(scope="module", params=["relational"])
def fleet(
    request: pytest.FixtureRequest, postgresql_url: str
) -> Iterator[tuple[VehicleSearch, dict[str, Any]]]:
    """An adapter that knows the fleet, and the ids of its customers by name."""
    name, host = f"search_{uuid4().hex}", conninfo_to_dict(postgresql_url)["host"]
    url = f"postgresql://postgres:@/{name}?host={host}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENT_LOG_URL", url)
        patch.setenv("DATABASE_URL", url)
        settings = Settings.from_environment()
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        with EventLog(url) as log, create_app(settings).app_context():
            upgrade()
            ids = _register(log)
            follower = Follower(CUSTOMER_VEHICLES, log, db.engine, page=100)
            while follower.catch_up():
                pass
            yield RelationalVehicleSearch(db.engine, CUSTOMER_VEHICLES.name, 120), ids
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def search(fleet: tuple[VehicleSearch, dict[str, Any]]) -> VehicleSearch:
    """The adapter."""
    return fleet[0]


@pytest.fixture
def customer_ids(fleet: tuple[VehicleSearch, dict[str, Any]]) -> dict[str, Any]:
    """The ids of the customers by name."""
    return fleet[1]
