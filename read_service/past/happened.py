"""What happened to a vehicle, event by event, as the API tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
)
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from projections.trips.measure import Place


@dataclass(frozen=True, slots=True)
class DerivedTripStarted:
    """A trip that follows from heartbeats began. It is no event of the log, and may move."""

    trip_id: UUID
    at: datetime
    place: Place | None


@dataclass(frozen=True, slots=True)
class DerivedTripEnded(DerivedTripStarted):
    """A trip that follows from heartbeats was over."""


def customer_of(event: Any) -> UUID | None:
    """The customer that an event names, if it names one: its name is asked for beforehand."""
    customer_id: UUID | None = getattr(event, "customer_id", None)
    return customer_id


def entry(event: Any, customer_names: Mapping[UUID, str]) -> dict[str, Any] | None:
    """An event with its `type` and the instant `at` which it happened; None: it tells nothing."""
    told = _ENTRIES.get(type(event))
    if told is None:
        return None
    name, more = told
    return {"at": at(event).astimezone(UTC), "type": name, **more(event, customer_names)}


def at(event: Any) -> datetime:
    """When it happened, which may be long before it was told."""
    if isinstance(event, Trip.Created):
        return event.started_at
    if isinstance(event, Trip.Ended):
        return event.ended_at
    if isinstance(event, ConnectionEvent | DerivedTripStarted):
        return event.at
    instant: datetime = event.timestamp
    return instant


def _fields(*names: str) -> Callable[[Any, Mapping[UUID, str]], dict[str, Any]]:
    return lambda event, _: {name: getattr(event, name) for name in names}


def _customer(event: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    customer_id = event.customer_id
    return {"customer": {"customer_id": customer_id, "name": names.get(customer_id, "")}}


def _registered(event: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "registration_number": event.registration_number,
        **_customer(event, names),
        "labels": event.labels,
    }


def _trip(*names: str) -> Callable[[Any, Mapping[UUID, str]], dict[str, Any]]:
    fields = _fields(*names, "latitude", "longitude")
    return lambda event, known: {
        "trip_id": event.originator_id,
        "source": "reported",
        **fields(event, known),
    }


def _derived_trip(**more: None) -> Callable[[Any, Mapping[UUID, str]], dict[str, Any]]:
    return lambda event, _: {
        "trip_id": event.trip_id,
        "source": "derived",
        **more,
        "latitude": event.place.latitude if event.place else None,
        "longitude": event.place.longitude if event.place else None,
    }


_ENTRIES: dict[type, tuple[str, Callable[[Any, Mapping[UUID, str]], dict[str, Any]]]] = {
    Vehicle.Created: ("registered", _registered),
    Vehicle.RegistrationNumberChanged: (
        "registration_number_changed",
        _fields("registration_number"),
    ),
    Vehicle.MovedToCustomer: ("moved_customer", _customer),
    Vehicle.LabelsChanged: ("labels_changed", _fields("labels")),
    Vehicle.DisconnectAfterChanged: ("disconnect_after_changed", _fields("disconnect_after_s")),
    Vehicle.Decommissioned: ("decommissioned", _fields()),
    Vehicle.Recommissioned: ("recommissioned", _registered),
    VehicleConnected: ("connected", _fields("recorded_at", "disconnect_after_s")),
    VehicleDisconnected: ("disconnected", _fields("recorded_at", "disconnect_after_s")),
    ConnectionMended: ("connection_mended", _fields("until", "disconnect_after_s")),
    Trip.Created: ("trip_started", _trip("driver")),
    Trip.Ended: ("trip_ended", _trip()),
    DerivedTripStarted: ("trip_started", _derived_trip(driver=None)),
    DerivedTripEnded: ("trip_ended", _derived_trip()),
}

TYPES = tuple(dict.fromkeys(name for name, _ in _ENTRIES.values()))
"""What may happen to a vehicle."""
