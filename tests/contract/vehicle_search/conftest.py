"""The fleet that every adapter of `VehicleSearch` is asked about."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from eventsourcing.domain import Aggregate

from projections import create_app
from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.database import db
from projections.elasticsearch import connect
from projections.elasticsearch_index import first_index
from projections.indexes import vehicle_search
from projections.vehicle_search import remembered
from projections.vehicle_search.elasticsearch import ElasticsearchVehicleSearch
from projections.vehicle_search.relational import RelationalVehicleSearch
from tests.databases import fresh_database
from tests.following import record, to_the_end
from tests.monitoring import judge_of, run_until
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from projections.catalog import ReadModel
    from projections.vehicle_search.model import VehiclePage, VehicleQuery, VehicleSearch

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

PLACES = {
    "YS2R4X20005399401": (59.2, 17.6),
    "VLUR4X20009093588": (57.7, 11.97),
    "YS2R4X20005388011": (-17.8, 179.9),
    "YS2R4X20005387949": (-17.0, -179.9),
    "YS2R4X20005387765": (59.33, 18.07),
}
"""Where they were last, by VIN: Södertälje, Göteborg, Fiji on both sides, Stockholm."""

SCRAPPED = "WVWZZZ1JZXW000001"


@dataclass
class Fleet:
    """An adapter that knows the fleet, the ids of its customers by name, and the log behind it.

    To follow is also to judge, as the connection monitor would have by an instant.
    """

    search: VehicleSearch
    customer_ids: dict[str, Any]
    log: EventLog
    follow: Callable[..., None]

    def record(self, vin: str, at: datetime) -> None:
        """Let a vehicle say that it lives, and the adapter know it."""
        _record(self.log, vin, at)
        self.follow()


class _AskedAgain:
    """An adapter that remembers what it found: asked again it finds the same in other ways."""

    def __init__(self, search: VehicleSearch) -> None:
        self._search = search
        self.position = search.position

    def search(self, query: VehicleQuery, now: datetime) -> VehiclePage:
        page = self._search.search(query, now)
        for _ in range(3):
            assert self._search.search(query, now) == page
        return page


def _record(log: EventLog, vin: str, at: datetime) -> None:
    latitude, longitude = PLACES.get(vin, (None, None))
    record(log, vin, at, latitude=latitude, longitude=longitude)


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


@contextmanager
def following(which: str, settings: Settings, elasticsearch_url: str) -> Iterator[Fleet]:
    """The fleet, and an adapter that knows it."""
    with EventLog(settings.event_log_url) as log, create_app(settings).app_context():
        ids = _register(log)
        projections: list[ReadModel] = [CUSTOMER_VEHICLES]
        where = (db.engine, CUSTOMER_VEHICLES.name, 120)
        relational = RelationalVehicleSearch(*where)
        search: VehicleSearch = relational
        refresh: Callable[[], object] = int
        if which == "elasticsearch":
            client, alias = connect(elasticsearch_url, 30), f"test_{uuid4().hex}"
            projections.append(vehicle_search(client, alias))
            known = RelationalCustomerVehicles(*where)
            search = _AskedAgain(ElasticsearchVehicleSearch(client, alias, known, relational, 120))
            refresh = partial(client.indices.refresh, index=alias)
        followers = [one.follower(log, db.engine, 7) for one in projections]
        judge = judge_of(log)

        def follow(now: datetime = NOW) -> None:
            run_until(judge, now)
            for follower in followers:
                to_the_end(follower)
            refresh()

        follow()
        yield Fleet(search, ids, log, follow)
        if which == "elasticsearch":
            client.indices.delete(index=first_index(alias))
            client.close()


@contextmanager
def _fresh_fleet(
    which: str, postgresql_url: str, template: str, elasticsearch_url: str
) -> Iterator[Fleet]:
    with fresh_database(postgresql_url, template) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENT_LOG_URL", url)
        patch.setenv("DATABASE_URL", url)
        decided_at = staticmethod(lambda: NOW - timedelta(days=1))
        patch.setattr(Aggregate.Event, "create_timestamp", decided_at)
        patch.setattr(remembered, "MANY", 1)
        settings = Settings.from_environment()
        with following(which, settings, elasticsearch_url) as fleet:
            yield fleet


@pytest.fixture(scope="module")
def fleet(
    which: str, postgresql_url: str, migrated_template: str, elasticsearch_url: str
) -> Iterator[Fleet]:
    """An adapter that knows the fleet."""
    with _fresh_fleet(which, postgresql_url, migrated_template, elasticsearch_url) as fleet:
        yield fleet


@pytest.fixture
def own_fleet(
    which: str, postgresql_url: str, migrated_template: str, elasticsearch_url: str
) -> Iterator[Fleet]:
    """The same, for a test that changes it."""
    with _fresh_fleet(which, postgresql_url, migrated_template, elasticsearch_url) as fleet:
        yield fleet


@pytest.fixture
def search(fleet: Fleet) -> VehicleSearch:
    """The adapter."""
    return fleet.search


@pytest.fixture
def customer_ids(fleet: Fleet) -> dict[str, Any]:
    """The ids of the customers by name."""
    return fleet.customer_ids
