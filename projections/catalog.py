"""The projections there are, by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from projections.customer_vehicles import fold
from projections.customer_vehicles.relational import TABLES, CustomerVehiclesStore
from projections.elasticsearch import connect
from projections.relational_rebuild import RelationalBeside
from projections.vehicle_search import fold as search_fold
from projections.vehicle_search.beside import ElasticsearchBeside
from projections.vehicle_search.store import ElasticsearchStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.rebuild import Beside
    from projections.store import Store
    from vehicle_tracker.settings import Settings

WRITING_TIMEOUT_S = 30.0
"""A page takes Elasticsearch a tenth of a second; a merge or a full disk may keep it waiting."""

VEHICLE_SEARCH = "vehicle_search"


@dataclass(frozen=True, slots=True)
class Projection:
    """What a follower needs to know of a read fold.

    Its documents are found by `key_of(event)` and made by `evolve(document, event)`; events whose
    topic is not in `topics` are not for it. `before_its_own_events` is what remains of a document
    without the events of its aggregate; `beside` begins a rebuild, or goes on with one.
    """

    name: str
    topics: frozenset[str]
    key_of: Callable[[Any], Any]
    evolve: Callable[[Any, Any], Any]
    before_its_own_events: Callable[[Any], Any]
    store: Callable[[str, Engine], Store[Any, Any]]
    beside: Callable[[str, Engine, Settings], Beside]


CUSTOMER_VEHICLES = Projection(
    name="customer_vehicles",
    topics=fold.TOPICS,
    key_of=fold.key_of,
    evolve=fold.evolve,
    before_its_own_events=fold.before_its_own_events,
    store=CustomerVehiclesStore,
    beside=partial(RelationalBeside, tables=TABLES, make_store=CustomerVehiclesStore),
)


def vehicle_search(client: Elasticsearch, name: str = VEHICLE_SEARCH) -> Projection:
    """The projection in Elasticsearch; its alias there has its name."""
    return Projection(
        name=name,
        topics=search_fold.TOPICS,
        key_of=search_fold.key_of,
        evolve=search_fold.evolve,
        before_its_own_events=search_fold.before_its_own_events,
        store=partial(ElasticsearchStore, client),
        beside=partial(ElasticsearchBeside, client),
    )


def projections_of(settings: Settings) -> dict[str, Projection]:
    """Those that are kept under these settings, by name."""
    kept = [CUSTOMER_VEHICLES]
    if settings.elasticsearch_url:
        kept.append(vehicle_search(connect(settings.elasticsearch_url, WRITING_TIMEOUT_S)))
    return {projection.name: projection for projection in kept}
