"""The projections there are, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projections.customer_vehicles import fold
from projections.customer_vehicles.relational import CustomerVehiclesStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from projections.store import Store


@dataclass(frozen=True, slots=True)
class Projection:
    """What a follower needs to know of a read fold.

    Its documents are found by `key_of(event)` and made by `evolve(document, event)`; events whose
    topic is not in `topics` are not for it.
    """

    name: str
    topics: frozenset[str]
    key_of: Callable[[Any], Any]
    evolve: Callable[[Any, Any], Any]
    store: Callable[[str, Engine], Store[Any, Any]]


CUSTOMER_VEHICLES = Projection(
    name="customer_vehicles",
    topics=fold.TOPICS,
    key_of=fold.key_of,
    evolve=fold.evolve,
    store=CustomerVehiclesStore,
)

PROJECTIONS = {projection.name: projection for projection in (CUSTOMER_VEHICLES,)}
