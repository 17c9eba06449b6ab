"""The trips that every adapter of `TripSearch` is asked about."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from eventsourcing.domain import Aggregate

from projections import create_app
from projections.catalog import CUSTOMER_VEHICLES, TRIPS, trips
from projections.database import db
from projections.elasticsearch import connect
from projections.elasticsearch_index import first_index
from projections.indexes import trip_search
from projections.trip_search.elasticsearch import ElasticsearchTripSearch
from projections.trips.model import TripQuery
from projections.trips.reader import RelationalTrips
from tests.databases import fresh_database
from tests.driving import told_of
from tests.following import NOW, record, to_the_end
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from projections.catalog import ReadModel
    from projections.trips.model import TripSearch

MINUTE = timedelta(minutes=1)
VINS = {
    "ABC123": "YS2R4X20005399401",
    "DEF456": "VLUR4X20009093588",
    "GHI789": "VLUR4X20009048066",
}
OWNERS = {"ABC123": "Kalles Grus AB", "DEF456": "Ærlige Åkare", "GHI789": "Kalles Grus AB"}


def minute(number: float) -> datetime:
    """So many minutes into the day."""
    return NOW + number * MINUTE


@dataclass
class Fleet:
    """An adapter that knows the trips, the customers by name, and the log behind it."""

    search: TripSearch
    owners: dict[str, Customer]
    log: EventLog
    follow: Callable[[], None]

    def drive(
        self, plate: str, first: int, minutes: int, latitude: float, longitude: float
    ) -> None:
        """Go north for so many minutes, 1.1 km each, then stand."""
        self.say(plate, first, minutes, latitude, longitude)
        self.stand(plate, first + minutes, 7)

    def say(self, plate: str, first: int, minutes: int, latitude: float, longitude: float) -> None:
        """Go north for so many minutes, 1.1 km each, and say no more."""
        for number in range(minutes):
            place = {"latitude": latitude + number / 100, "longitude": longitude}
            record(self.log, VINS[plate], minute(first + number), speed_kmh=66.0, **place)

    def stand(self, plate: str, first: float, minutes: int) -> None:
        """Stand for so many minutes."""
        for number in range(minutes):
            record(self.log, VINS[plate], minute(first + number), speed_kmh=0.0)

    def tell(self, plate: str, first: int, minutes: int | None, driver: str | None = None) -> None:
        """Report a trip, which is open if it has no length."""
        trip = told_of(minute(first), VINS[plate], driver=driver)
        if minutes is not None:
            trip.end(VINS[plate], minute(first + minutes), None, None, None)
        self.log.save(trip)

    def found(self, limit: int = 100, **asked: Any) -> list[str]:
        """All pages, a trip by its plate, its beginning and its end."""
        found: list[str] = []
        cursor: str | None = None
        for _ in range(100):
            query = TripQuery(limit=limit, cursor=cursor, **asked)
            page = self.search.find(query, minute(10_000))
            assert len(page.items) <= limit
            assert page.position == self.log.head()
            found += [
                f"{plate} {_minutes(trip.started_at)}-{_minutes(trip.ended_at)}"
                for trip, plate, _ in page.items
            ]
            cursor = page.next_cursor
            if cursor is None:
                break
        return found


def _minutes(instant: datetime | None) -> str:
    return f"{(instant - NOW) / MINUTE:g}" if instant else ""


def _tell_all(fleet: Fleet) -> None:
    """What happened; `test_trip_search` says what trips that makes."""
    # Two derived trips near Stockholm; a reported one over the second hides it.
    fleet.drive("ABC123", 0, 10, 59.0, 18.0)
    fleet.drive("ABC123", 60, 10, 59.0, 18.0)
    fleet.tell("ABC123", 58, 15, driver="Åsa Öberg")
    # Fiji: on both sides of the antimeridian, and from there to the other customer.
    fleet.drive("DEF456", 5, 10, -17.0, 179.9)
    fleet.drive("DEF456", 40, 10, -17.0, -179.9)
    fleet.drive("DEF456", 100, 10, 57.70055, 11.97045)
    fleet.tell("GHI789", 0, 10, driver="50% Kalle_a")
    fleet.drive("GHI789", 200, 10, 59.5, 18.0)
    fleet.tell("GHI789", 300, None, driver="Bo")


@contextmanager
def _following(which: str, settings: Settings, elasticsearch_url: str) -> Iterator[Fleet]:
    with EventLog(settings.event_log_url) as log, create_app(settings).app_context():
        owners = {name: Customer(name=name, address="Vägen 1") for name in set(OWNERS.values())}
        vehicles = [
            Vehicle(vin, plate, owners[OWNERS[plate]].id, {}) for plate, vin in VINS.items()
        ]
        log.save(*owners.values(), *vehicles)
        engine = db.engine
        relational = RelationalTrips(engine, TRIPS, CUSTOMER_VEHICLES.name)
        search: TripSearch = relational
        read_models: list[ReadModel] = [CUSTOMER_VEHICLES, trips(log)]
        refresh: Callable[[], object] = int
        client, alias = connect(elasticsearch_url, 30), f"test_{uuid4().hex}"
        if which == "elasticsearch":
            read_models.append(trip_search(client, alias))
            search = ElasticsearchTripSearch(client, alias, relational, engine)
            refresh = partial(client.indices.refresh, index=alias)
        followers = [one.follower(log, engine, 3) for one in read_models]

        def follow() -> None:
            for follower in followers:
                to_the_end(follower)
            refresh()

        fleet = Fleet(search, owners, log, follow)
        _tell_all(fleet)
        follow()
        yield fleet
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
        patch.setattr(Aggregate.Event, "create_timestamp", staticmethod(lambda: minute(-1)))
        settings = Settings.from_environment()
        with _following(which, settings, elasticsearch_url) as fleet:
            yield fleet


@pytest.fixture(scope="module")
def fleet(
    which: str, postgresql_url: str, migrated_template: str, elasticsearch_url: str
) -> Iterator[Fleet]:
    """An adapter that knows the trips."""
    with _fresh_fleet(which, postgresql_url, migrated_template, elasticsearch_url) as fleet:
        yield fleet


@pytest.fixture
def own_fleet(
    which: str, postgresql_url: str, migrated_template: str, elasticsearch_url: str
) -> Iterator[Fleet]:
    """The same, for a test that changes them."""
    with _fresh_fleet(which, postgresql_url, migrated_template, elasticsearch_url) as fleet:
        yield fleet
