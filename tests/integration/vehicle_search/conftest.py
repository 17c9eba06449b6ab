"""A fleet in a log, the tables that follow it, and an index of Elasticsearch that copies them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest
from eventsourcing.domain import Aggregate
from sqlalchemy import true

from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.indexes import vehicle_search
from projections.vehicle_search.changes import documents
from projections.vehicle_search.document import source
from projections.vehicle_search.elasticsearch import ElasticsearchVehicleSearch
from projections.vehicle_search.relational import RelationalVehicleSearch
from tests.copying import Copying
from tests.following import NOW, VINS, catch_up, record
from tests.monitoring import judge_of, run_until
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog

LIMIT_S = 120
HEARD_AT = NOW + timedelta(minutes=2)


@dataclass
class Copied(Copying):
    """A log, the tables that follow it, and the index that copies them."""

    owner: Customer
    other: Customer

    def fold(self, judged_by: datetime | None = None) -> None:
        """Let the tables be where the log is; first it may be judged who is silent by then."""
        if judged_by:
            run_until(judge_of(self.log), judged_by)
        catch_up(self.log, self.engine)

    def kept(self) -> dict[str, Any]:
        """The documents of vehicles, with the versions under which they were written."""
        return {id_: one["_source"] for id_, one in self._hits().items()}

    def versions(self) -> dict[str, int]:
        """The positions under which the documents were written."""
        return {one["_source"]["vin"]: one["_version"] for one in self._hits().values()}

    def _hits(self) -> dict[str, Any]:
        self.client.indices.refresh(index=self.index.name)
        in_use = {"term": {"kind": "vehicle"}}
        found = self.client.search(index=self.index.name, query=in_use, size=1_000, version=True)
        return {hit["_id"]: hit for hit in found["hits"]["hits"]}

    def expected(self) -> dict[str, Any]:
        """What they have to be."""
        with self.engine.connect() as connection:
            rows = connection.execute(documents().where(true())).all()
        sources = {str(row.vehicle_id): msgspec.json.decode(source(row)) for row in rows}
        return {id_: one for id_, one in sources.items() if one["kind"] == "vehicle"}

    def search(self) -> ElasticsearchVehicleSearch:
        """Whoever asks the index."""
        where = self.engine, CUSTOMER_VEHICLES.name, LIMIT_S
        relational, known = RelationalVehicleSearch(*where), RelationalCustomerVehicles(*where)
        name = self.index.name
        return ElasticsearchVehicleSearch(self.client, name, known, relational, LIMIT_S)


@pytest.fixture
def copied(
    client: Elasticsearch, event_log: EventLog, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Copied]:
    """Six vehicles that were heard: one moved, one is out of use, some have limits; tables only."""
    decided_at = staticmethod(lambda: NOW - timedelta(days=1))
    monkeypatch.setattr(Aggregate.Event, "create_timestamp", decided_at)
    owner, other = Customer(name="Kalle", address="Väg 1"), Customer(name="Johan", address="Väg 2")
    event_log.save(owner, other)
    vehicles = [
        Vehicle(vin=vin, registration_number=f"A{n}", customer_id=owner.id, labels={"n": str(n)})
        for n, vin in enumerate(VINS)
    ]
    event_log.save(*vehicles)
    for minute in (2, 0, 1):
        for vin in VINS:
            at = NOW + timedelta(minutes=minute)
            record(event_log, vin, at, latitude=59.01, longitude=18.01)
    owner.change_details("Kalles Åkeri", "Väg 1")
    other.change_disconnect_after(600)
    vehicles[2].change_disconnect_after(5)
    vehicles[0].move_to_customer(other.id)
    vehicles[1].decommission()
    event_log.save(owner, other, *vehicles[:3])
    index = vehicle_search(client, f"test_{uuid4().hex}")
    copied = Copied(event_log, engine, client, index, owner, other)
    copied.fold(judged_by=HEARD_AT)
    yield copied
    copied.drop()
