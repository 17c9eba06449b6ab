"""What may be asked of the vehicles in use, what comes back, and the port that answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, get_args
from uuid import UUID

from projections.customer_vehicles.model import Status, VehicleView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Sort = Literal["registration_number", "vin", "customer", "status", "last_heartbeat_at"]
SORTS: tuple[str, ...] = tuple(sign + name for name in get_args(Sort) for sign in ("", "-"))
"""Each may be reversed. Equal ones are in the order of their VIN; never seen ones come last."""

MOST_CUSTOMERS = 100
"""So many customers are counted in the facets: those with the most vehicles."""

SHORTEST_FORGIVEN = 4
"""A word of fewer characters is taken literally: with a typo it could be anything."""


@dataclass(frozen=True, slots=True)
class VehicleQuery:
    """Which vehicles, in which order, and which page of them.

    Each word of `q` must be found somewhere in the VIN, the plate, the customer's name or a label:
    as a fragment, without regard to case, accents and hyphens. A word that is found nowhere at
    all is forgiven one typo: a character too many, too few, another, or two that changed places.
    """

    q: str = ""
    customer_ids: tuple[UUID, ...] = ()
    statuses: tuple[Status, ...] = ()
    sort: str = "registration_number"
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerCount:
    """How many of the vehicles are a customer's."""

    customer_id: UUID
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class VehiclePage:
    """A page of the vehicles found, and what all of them count to.

    The statuses are counted under every filter but `statuses`, the customers under every filter
    but `customer_ids`: so they say what another choice would show.
    """

    items: Sequence[VehicleView]
    total: int
    statuses: Mapping[Status, int]
    next_cursor: str | None
    position: int
    customers: Sequence[CustomerCount] = field(default=())


class VehicleSearch(Protocol):
    """Finds vehicles in use."""

    def search(self, query: VehicleQuery, now: datetime) -> VehiclePage:
        """A page of the vehicles, everything in it as of one position of the log.

        A vehicle's status is what it is at `now`. Errors: `Invalid` with the code
        `invalid_cursor`.
        """
