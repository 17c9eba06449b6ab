"""Customers and their vehicles as documents, and the port that looks them up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct

from projections.customer_vehicles.connections import ConnectionsDocument
from projections.customer_vehicles.said import Said

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


Status = Literal["connected", "disconnected", "never_seen"]
STATUSES: tuple[Status, ...] = ("connected", "disconnected", "never_seen")


class CustomerDocument(Struct, frozen=True, kw_only=True, gc=False):
    """A customer as it is now; its limit is that of its vehicles that have none of their own."""

    customer_id: UUID
    version: int
    name: str
    address: str
    folded_name: str
    registered_at: datetime
    disconnect_after_s: int | None = None
    trip_rules: dict[str, float] | None = None


class VehicleDocument(Struct, frozen=True, kw_only=True, gc=False):
    """A vehicle as it is now: what was decided about it, and what it said last.

    Without `registered_at` only its heartbeats have been seen so far. `latitude` and `longitude`
    are its last known place, in `grid_cell` (see `cells`), said at `position_recorded_at`; the
    other measurements are those of the newest heartbeat.
    """

    vehicle_id: UUID
    vin: str
    version: int = 0
    registration_number: str | None = None
    customer_id: UUID | None = None
    labels: dict[str, str] | None = None
    search_text: str = ""
    registered_at: datetime | None = None
    decommissioned_at: datetime | None = None
    disconnect_after_s: int | None = None
    last_heartbeat_at: datetime | None = None
    speed_kmh: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    odometer_km: float | None = None
    fuel_level: float | None = None
    battery_level: float | None = None
    ignition: bool | None = None
    attributes: dict[str, str | float | bool] | None = None
    position_recorded_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    grid_cell: int | None = None

    @property
    def is_in_use(self) -> bool:
        """It is registered, and not decommissioned since: so it is shown."""
        return self.registered_at is not None and self.decommissioned_at is None


Aggregated = CustomerDocument | VehicleDocument
"""What becomes of an aggregate's own events, by their version."""

Document = Aggregated | ConnectionsDocument | Said
"""What becomes of events. What is decided about a vehicle and what it said are documents apart."""


class VehicleView(NamedTuple):
    """A vehicle as it is shown, beside what its customer's name, address and limit are.

    From `connected_since` until `connected_until` it was connected as far as that was judged, or
    has been since; without the former it is not known.
    """

    vehicle: VehicleDocument
    customer_name: str
    customer_address: str = ""
    customer_disconnect_after_s: int | None = None
    connected_since: datetime | None = None
    connected_until: datetime | None = None


class CustomerView(NamedTuple):
    """A customer, and how many of its vehicles are in which status."""

    customer: CustomerDocument
    statuses: Mapping[Status, int]


class CustomerPage(NamedTuple):
    """A page of customers as of one position of the log."""

    items: Sequence[CustomerView]
    total: int
    next_cursor: str | None
    position: int


class Known(NamedTuple):
    """Vehicles in use and customers' names by their ids, as of one position of the log."""

    vehicles: Mapping[UUID, VehicleView]
    customer_names: Mapping[UUID, str]
    position: int


class Listed(NamedTuple):
    """Vehicles in use by VIN, as of one position of the log; customers by id, of then or later.

    `fleet_sizes` is how many vehicles in use the customers have, where that was asked for.
    """

    vehicles: Mapping[str, VehicleView]
    customers: Mapping[str, CustomerDocument]
    position: int
    fleet_sizes: Mapping[str, int] = {}


class CustomerVehicles(Protocol):
    """Looks up customers and their vehicles, each answer as of one position of the log.

    A status is what it is at `now`. Decommissioned vehicles are neither found nor counted.
    """

    def position(self) -> int:
        """The position of the log that answers are of."""

    def vehicle(self, vin: str) -> tuple[VehicleView | None, int]:
        """The vehicle in use with this VIN, and the position."""

    def vehicles_of(self, customer_name: str) -> tuple[Sequence[VehicleView], int]:
        """All vehicles of the customers whose name has this in it, by VIN, and the position."""

    def known(self, vehicle_ids: Iterable[UUID], customer_ids: Iterable[UUID]) -> Known:
        """Those of the vehicles that are in use, the customers' names, and the position."""

    def listed(self, vins: Iterable[str], customer_ids: Collection[str]) -> Listed:
        """Those of the vehicles that are in use, those customers, and the position.

        For whoever found them elsewhere, and has their VINs, and the ids as texts.
        """

    def listed_and_largest(self, vins: Iterable[str], most: int) -> Listed:
        """Those of the vehicles; so many customers with the most, and how many they have."""

    def customer(self, customer_id: UUID, now: datetime) -> tuple[CustomerView | None, int]:
        """The customer with this id, and the position."""

    def customers(self, q: str, limit: int, cursor: str | None, now: datetime) -> CustomerPage:
        """Customers whose name has each word of `q` in it, by name.

        Errors: `Invalid` with the code `invalid_cursor`.
        """


def limit_of(view: VehicleView, default_s: int) -> int:
    """For how many seconds it may be silent: its own limit, else its customer's, else as any."""
    own, customers = view.vehicle.disconnect_after_s, view.customer_disconnect_after_s
    if own is not None:
        return own
    return default_s if customers is None else customers


def status_of(view: VehicleView, now: datetime, default_s: int) -> Status:
    """What the vehicle is at `now`. A clock some minutes ahead of ours is still a connection."""
    heard = view.vehicle.last_heartbeat_at
    if heard is None:
        return "never_seen"
    silent_after = heard + timedelta(seconds=limit_of(view, default_s))
    return "connected" if now <= silent_after else "disconnected"


def status_since(view: VehicleView, status: Status, default_s: int) -> datetime | None:
    """Since when it is what it is, which is `status`; None of a connected one if that is not known.

    It is not from the newest heartbeat that comes after silence until that was judged, a second
    later at most while the monitor runs.
    """
    heard = view.vehicle.last_heartbeat_at
    if heard is None:
        return view.vehicle.registered_at
    if status == "disconnected":
        return heard + timedelta(seconds=limit_of(view, default_s))
    since, until = view.connected_since, view.connected_until
    judged = since is not None and since <= heard and (until is None or heard <= until)
    return since if judged else None
