"""The read models that are kept in Elasticsearch, by name: indexes that copy tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projections.catalog import CUSTOMER_VEHICLES, TRIP_SEARCH, TRIPS, VEHICLE_SEARCH
from projections.elasticsearch import connect
from projections.index_copy import IndexFollower, IndexRebuild
from projections.trip_search.changes import TripTables
from projections.vehicle_search.changes import VehicleTables

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.index_changes import Tables
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

WRITING_TIMEOUT_S = 30.0
"""A page takes Elasticsearch a tenth of a second; a merge or a full disk may keep it waiting."""


@dataclass(frozen=True, slots=True)
class IndexCopy:
    """A read model that is no fold of the log but copies another's tables: it parks nothing.

    Its alias in Elasticsearch has its name.
    """

    name: str
    client: Elasticsearch
    tables: Tables

    def follower(self, log: EventLog, engine: Engine, page: int) -> IndexFollower:  # noqa: ARG002
        """Whoever keeps it like the tables, about `page` documents at a time."""
        return IndexFollower(self.client, self.name, self.tables, engine, page)

    def rebuild(
        self,
        log: EventLog,  # noqa: ARG002 # it is filled from the tables
        engine: Engine,
        settings: Settings,  # noqa: ARG002
        page: int,
    ) -> IndexRebuild:
        """Begin a rebuild, or go on with one."""
        return IndexRebuild(self.client, self.name, self.tables, engine, page)


def vehicle_search(client: Elasticsearch, name: str = VEHICLE_SEARCH) -> IndexCopy:
    """The vehicles in Elasticsearch."""
    return IndexCopy(name, client, VehicleTables(CUSTOMER_VEHICLES.name))


def trip_search(client: Elasticsearch, name: str = TRIP_SEARCH) -> IndexCopy:
    """The trips in Elasticsearch."""
    return IndexCopy(name, client, TripTables(TRIPS))


def copy_of(name: str, url: str) -> IndexCopy:
    """The index of this name in the Elasticsearch at `url`; nothing is sent yet."""
    make = {VEHICLE_SEARCH: vehicle_search, TRIP_SEARCH: trip_search}[name]
    return make(connect(url, WRITING_TIMEOUT_S))
