"""What may be asked of the vehicles in use, what comes back, and the port that answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, get_args
from uuid import UUID

from projections.customer_vehicles.model import Status, VehicleView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

Sort = Literal["registration_number", "vin", "customer", "status", "last_heartbeat_at"]
SORTS: tuple[str, ...] = tuple(sign + name for name in get_args(Sort) for sign in ("", "-"))
"""Each may be reversed. Equal ones are in the order of their VIN; never seen ones come last."""

MOST_CUSTOMERS = 100
"""So many customers are counted in the facets: those with the most vehicles."""

SHORTEST_FORGIVEN = 4
"""A word of fewer characters is taken literally: with a typo it could be anything."""


EARTH_RADIUS_KM = 6_371.0087714
"""The mean one: distances are along a sphere of it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in degrees, its edges included; with `west > east` across the antimeridian."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything at most so many kilometres from a place."""

    latitude: float
    longitude: float
    km: float


Shape = Box | Circle


@dataclass(frozen=True, slots=True)
class VehicleQuery:
    """Which vehicles, in which order, and which page of them.

    Each word of `q` must be found somewhere in the VIN, the plate, the customer's name or a label:
    as a fragment, without regard to case, accents and hyphens. A word that is found nowhere at
    all may begin a word there with one typo: a character too many, too few, another, or two that
    changed places.

    `silent_for` is of vehicles whose newest heartbeat is older than that; a vehicle that was never
    seen is not silent, and one whose place is not known is in no `box` and not `near` anything.
    Each of `labels` must be there just as it is written.
    """

    q: str = ""
    customer_ids: tuple[UUID, ...] = ()
    statuses: tuple[Status, ...] = ()
    silent_for: timedelta | None = None
    box: Box | None = None
    near: Circle | None = None
    labels: tuple[tuple[str, str], ...] = ()
    sort: str = "registration_number"
    limit: int = 50
    cursor: str | None = None

    @property
    def shapes(self) -> list[Shape]:
        """Where on earth they must be, all of them."""
        both: list[Shape | None] = [self.box, self.near]
        return [shape for shape in both if shape]

    @property
    def counts_whole_fleets(self) -> bool:
        """Whether nothing is asked under which customers are counted: how many each has in all."""
        return self == VehicleQuery(
            customer_ids=self.customer_ids, sort=self.sort, limit=self.limit, cursor=self.cursor
        )


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

    def position(self) -> int:
        """The position of the log that a search would answer of."""

    def search(self, query: VehicleQuery, now: datetime) -> VehiclePage:
        """A page of the vehicles, and the position of the log that it is of.

        A vehicle's status is what it is at `now`. Page after page, a vehicle that stays where it
        is in the order comes once, whatever becomes of the others. Errors: `Invalid` with the code
        `invalid_cursor`, `Unavailable`.
        """
