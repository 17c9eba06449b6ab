"""A fleet that drove, the trips that follow its log, and an index of Elasticsearch of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import select

from projections.catalog import TRIPS, trips
from projections.indexes import trip_search
from projections.trip_search.elasticsearch import ElasticsearchTripSearch
from projections.trip_search.index import source
from projections.trips.reader import RelationalTrips
from projections.trips.tables import trip
from tests.copying import Copying
from tests.driving import told_of
from tests.following import NOW, VINS, record, to_the_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog

MINUTE = timedelta(minutes=1)


@dataclass
class Driven(Copying):
    """A log, the trips that follow it, and the index that copies them."""

    owner: Customer

    def drive(self, vin: str, first: float) -> None:
        """Drive for ten minutes, and stand for ten."""
        for number in range(20):
            moving = {"speed_kmh": 60.0, "latitude": 59 + number / 100, "longitude": 18.0}
            said = moving if number < 10 else {"speed_kmh": 0.0}
            record(self.log, vin, NOW + (first + number) * MINUTE, **said)

    def fold(self, page: int = 10) -> None:
        """Let the trips be where the log is."""
        follower = trips(self.log).follower(self.log, self.engine, page)
        to_the_end(follower)

    def kept(self) -> dict[str, Any]:
        """What the documents of trips are."""
        self.client.indices.refresh(index=self.index.name)
        hits = self.client.search(index=self.index.name, size=1_000)["hits"]["hits"]
        return {hit["_id"]: hit["_source"] for hit in hits if hit["_source"]["kind"] == "trip"}

    def expected(self) -> dict[str, Any]:
        """What they have to be."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(trip)).all()
        return {str(row.trip_id): msgspec.json.decode(source(row)) for row in rows}

    def search(self) -> ElasticsearchTripSearch:
        """Whoever asks the index."""
        relational = RelationalTrips(self.engine, TRIPS, TRIPS)
        return ElasticsearchTripSearch(self.client, self.index.name, relational, self.engine)


@pytest.fixture
def driven(
    client: Elasticsearch, event_log: EventLog, engine: Engine, fleet: Customer
) -> Iterator[Driven]:
    """Three vehicles that drove three times each, and a reported trip; folded, not copied."""
    index = trip_search(client, f"test_{uuid4().hex}")
    driven = Driven(event_log, engine, client, index, fleet)
    for vin in VINS[:3]:
        for first in (10, 40, 70):
            driven.drive(vin, first)
    reported = told_of(NOW + 5 * MINUTE, VINS[3], driver="Åsa")
    reported.end(VINS[3], NOW + 9 * MINUTE, None, None, None)
    event_log.save(reported)
    driven.fold()
    yield driven
    driven.drop()
