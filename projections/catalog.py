"""The projections there are, by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from projections.customer_vehicles import fold
from projections.customer_vehicles.relational import TABLES
from projections.customer_vehicles.store import CustomerVehiclesStore
from projections.follower import Follower
from projections.rebuild import Rebuild
from projections.relational_rebuild import RelationalBeside
from projections.trips import news
from projections.trips.store import TripsStore
from projections.trips.tables import TRIP_TABLES
from vehicle_tracker.importing import without_other_transports

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from sqlalchemy import Engine

    from projections.rebuild import Beside
    from projections.store import Store
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

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


def trips(log: EventLog) -> Projection:
    """The trips, for which the log is read again where something came late."""
    make_store = partial(TripsStore, log)
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


def names_of(settings: Settings) -> tuple[str, ...]:
    """The read models that are kept under these settings."""
    in_elasticsearch = (VEHICLE_SEARCH, TRIP_SEARCH) if settings.elasticsearch_url else ()
    return (CUSTOMER_VEHICLES.name, TRIPS, *in_elasticsearch)


def read_model(name: str, settings: Settings, log: EventLog) -> ReadModel:
    """The read model of this name, which is one of `names_of` these settings."""
    if name == CUSTOMER_VEHICLES.name:
        return CUSTOMER_VEHICLES
    if name == TRIPS:
        return trips(log)
    with without_other_transports():
        from projections import indexes  # noqa: PLC0415 # that takes as long as all else here

    return indexes.copy_of(name, settings.elasticsearch_url)
