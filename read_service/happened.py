"""Events as the API tells them: what happened to a vehicle, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from read_service.items import heartbeat_item
from vehicle_tracker.domain.connection import (
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
)
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID


def happened(event: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    """What an event of `TOLD` says: its type, the instant it speaks of, and its particulars.

    `names` has the names of the customers that it may speak of.
    """
    type_, particulars = _TELLERS[type(event)]
    return {"type": type_, **particulars(event, names)}


def customer_of(event: Any) -> UUID | None:
    """The customer that an event speaks of."""
    found: UUID | None = getattr(event, "customer_id", None)
    return found


def _decided(*particulars: str) -> Callable[[Any, Mapping[UUID, str]], dict[str, Any]]:
    """An event of the aggregate: when it was decided, and what."""

    def tell(event: Any, _: Mapping[UUID, str]) -> dict[str, Any]:
        return {"at": event.timestamp, **{name: getattr(event, name) for name in particulars}}

    return tell


def _customer(event: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    name = names.get(event.customer_id, "")
    return {"at": event.timestamp, "customer": {"customer_id": event.customer_id, "name": name}}


def _registered(event: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    plate = event.registration_number
    return {**_customer(event, names), "registration_number": plate, "labels": event.labels}


def _judged(event: Any, _: Mapping[UUID, str]) -> dict[str, Any]:
    limit = event.disconnect_after_s
    return {"at": event.at, "recorded_at": event.recorded_at, "disconnect_after_s": limit}


def _mended(event: Any, _: Mapping[UUID, str]) -> dict[str, Any]:
    return {"at": event.at, "until": event.until, "disconnect_after_s": event.disconnect_after_s}


def _trip(at: str, *particulars: str) -> Callable[[Any, Mapping[UUID, str]], dict[str, Any]]:
    def tell(event: Any, _: Mapping[UUID, str]) -> dict[str, Any]:
        said = {name: getattr(event, name) for name in (*particulars, "latitude", "longitude")}
        return {"at": getattr(event, at), "trip_id": event.originator_id, **said}

    return tell


def _heartbeat(event: Any, _: Mapping[UUID, str]) -> dict[str, Any]:
    return {"at": event.recorded_at, **heartbeat_item(event)}


_TELLERS: dict[type, tuple[str, Callable[[Any, Mapping[UUID, str]], dict[str, Any]]]] = {
    Vehicle.Created: ("registered", _registered),
    Vehicle.Recommissioned: ("recommissioned", _registered),
    Vehicle.RegistrationNumberChanged: (
        "registration_number_changed",
        _decided("registration_number"),
    ),
    Vehicle.MovedToCustomer: ("moved_customer", _customer),
    Vehicle.LabelsChanged: ("labels_changed", _decided("labels")),
    Vehicle.DisconnectAfterChanged: ("disconnect_after_changed", _decided("disconnect_after_s")),
    Vehicle.Decommissioned: ("decommissioned", _decided()),
    VehicleConnected: ("connected", _judged),
    VehicleDisconnected: ("disconnected", _judged),
    ConnectionMended: ("connection_mended", _mended),
    Trip.Created: ("trip_started", _trip("started_at", "driver")),
    Trip.Ended: ("trip_ended", _trip("ended_at")),
    HeartbeatRecorded: ("heartbeat", _heartbeat),
}

TYPES = tuple(type_ for type_, _ in _TELLERS.values())
"""What may happen to a vehicle."""

TOLD = frozenset(kind.TOPIC for kind in _TELLERS)  # type: ignore[attr-defined] # all have one
"""The topics of the events that are told."""
