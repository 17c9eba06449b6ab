"""The projections there are, by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from projections.customer_vehicles import fold
from projections.customer_vehicles.relational import TABLES
from projections.customer_vehicles.store import CustomerVehiclesStore
from projections.elasticsearch import connect
from projections.follower import Follower
from projections.index_copy import IndexFollower, IndexRebuild
from projections.rebuild import Rebuild
from projections.relational_rebuild import RelationalBeside
from projections.trip_search.changes import TripTables
from projections.trips import news
from projections.trips.store import TripsStore
from projections.trips.tables import TRIP_TABLES
from projections.vehicle_search.changes import VehicleTables
from vehicle_tracker.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.index_changes import Tables
    from projections.rebuild import Beside
    from projections.store import Store
    from vehicle_tracker.settings import Settings

WRITING_TIMEOUT_S = 30.0
"""A page takes Elasticsearch a tenth of a second; a merge or a full disk may keep it waiting."""

VEHICLE_SEARCH = "vehicle_search"
TRIPS = "trips"
TRIP_SEARCH = "trip_search"


class Following(Protocol):
    """Whoever keeps a read model up to date."""

    def catch_up(self) -> int:
        """Do the next piece of work. 0: there was none left."""

    def run(self, stop: Event) -> None:
        """Follow until `stop` is set."""


class Rebuilding(Protocol):
    """Building a read model anew beside the live one."""

    def run(self, said: Callable[[int, int], None], stop: Event) -> bool:
        """Build and swap; True unless it was stopped before. Errors: `BusyError`."""


class ReadModel(Protocol):
    """A read model, however it follows the log."""

    @property
    def name(self) -> str:
        """What it is called by whoever follows or rebuilds it."""

    def follower(self, log: EventLog, engine: Engine, page: int) -> Following:
        """Whoever keeps it up to date, `page` at a time."""

    def rebuild(self, log: EventLog, engine: Engine, settings: Settings, page: int) -> Rebuilding:
        """Begin a rebuild, or go on with one."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What a follower needs to know of a read fold.

    Its documents are found by `key_of(event)` and made by `evolve(document, event)`; events whose
    topic is not in `topics` are not for it. `before_its_own_events` is what remains of a document
    without the events of its aggregate; `beside` begins a rebuild, or goes on with one. Of pages
    that wait, so many are stored in one step: `pages`, by a rebuild `rebuilt_pages`.
    """

    name: str
    topics: frozenset[str]
    key_of: Callable[[Any], Any]
    evolve: Callable[[Any, Any], Any]
    before_its_own_events: Callable[[Any], Any]
    store: Callable[[str, Engine], Store[Any, Any]]
    beside: Callable[[str, Engine, Settings], Beside]
    pages: int = 1
    rebuilt_pages: int = 1

    def follower(self, log: EventLog, engine: Engine, page: int) -> Follower:
        """Whoever keeps it up to date, `page` events at a time."""
        return Follower(self, log, engine, page)

    def rebuild(self, log: EventLog, engine: Engine, settings: Settings, page: int) -> Rebuild:
        """Begin a rebuild, or go on with one."""
        return Rebuild(self, self.beside(self.name, engine, settings), log, engine, page)


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


CUSTOMER_VEHICLES = Projection(
    name="customer_vehicles",
    topics=fold.TOPICS,
    key_of=fold.key_of,
    evolve=fold.evolve,
    before_its_own_events=fold.before_its_own_events,
    store=CustomerVehiclesStore,
    beside=partial(RelationalBeside, tables=TABLES, make_store=CustomerVehiclesStore),
    pages=10,
    rebuilt_pages=1_000,
)


def vehicle_search(client: Elasticsearch, name: str = VEHICLE_SEARCH) -> IndexCopy:
    """The vehicles in Elasticsearch."""
    return IndexCopy(name, client, VehicleTables(CUSTOMER_VEHICLES.name))


def trip_search(client: Elasticsearch, name: str = TRIP_SEARCH) -> IndexCopy:
    """The trips in Elasticsearch."""
    return IndexCopy(name, client, TripTables(TRIPS))


def trips(open_log: Callable[[], EventLog]) -> Projection:
    """The trips, for which the log is read again where something came late."""
    make_store = partial(TripsStore, open_log)
    return Projection(
        name=TRIPS,
        topics=news.TOPICS,
        key_of=news.key_of,
        evolve=news.evolve,
        before_its_own_events=news.before_its_own_events,
        store=make_store,
        beside=partial(RelationalBeside, tables=TRIP_TABLES, make_store=make_store),
        pages=5,
        rebuilt_pages=5,
    )


def projections_of(settings: Settings) -> dict[str, ReadModel]:
    """Those that are kept under these settings, by name."""
    kept: list[ReadModel] = [CUSTOMER_VEHICLES, trips(partial(EventLog, settings.event_log_url))]
    if settings.elasticsearch_url:
        client = connect(settings.elasticsearch_url, WRITING_TIMEOUT_S)
        kept += vehicle_search(client), trip_search(client)
    return {projection.name: projection for projection in kept}
