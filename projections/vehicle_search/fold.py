"""The fold that makes searched customers and vehicles of events.

It is pure. Heartbeats may come in any order, repeated, before or after what is decided about their
vehicle: the newest by `recorded_at` wins. A vehicle's or customer's own events come in order, maybe
repeated: `version` tells.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from projections.customer_vehicles.fold import CUSTOMER_EVENTS, FLEET_TOPICS
from projections.vehicle_search.document import Document, Key, SearchedCustomer, SearchedVehicle
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from eventsourcing.domain import Aggregate

TOPICS = FLEET_TOPICS
"""What this read model is made of; every other event is not for it."""


def key_of(event: Aggregate.Event | HeartbeatRecorded) -> Key:
    """The document that an event is folded into."""
    if isinstance(event, HeartbeatRecorded):
        return _vehicle_key(event.vin)
    kind = SearchedCustomer if isinstance(event, CUSTOMER_EVENTS) else SearchedVehicle
    return Key(kind, str(event.originator_id))


def evolve(document: Document | None, event: Aggregate.Event | HeartbeatRecorded) -> Document:
    """The document after the event; the very same one if the event says nothing new.

    An event of something never registered raises `LookupError`.
    """
    if isinstance(event, HeartbeatRecorded):
        seen = document if isinstance(document, SearchedVehicle) else None
        return _with_heartbeat(seen or SearchedVehicle(vin=event.vin), event)
    if document is not None and event.originator_version <= document.version:
        return document
    if isinstance(event, CUSTOMER_EVENTS):
        customer = document if isinstance(document, SearchedCustomer) else None
        return _with_customer_event(customer, event)
    vehicle = document if isinstance(document, SearchedVehicle) else None
    return _with_vehicle_event(vehicle, event)


def before_its_own_events(document: Document | None) -> Document | None:
    """What is left of a document to fold all events of its aggregate into again, from the first."""
    return replace(document, version=0) if document else None


@lru_cache(maxsize=200_000)
def _vehicle_key(vin: str) -> Key:
    return Key(SearchedVehicle, str(vehicle_stream(vin)))


def _with_heartbeat(vehicle: SearchedVehicle, event: HeartbeatRecorded) -> SearchedVehicle:
    said, at = event.heartbeat, event.version
    if said.latitude is not None and (vehicle.placed_us is None or at > vehicle.placed_us):
        vehicle = replace(vehicle, placed_us=at, latitude=said.latitude, longitude=said.longitude)
    if vehicle.last_heartbeat_us is None or at > vehicle.last_heartbeat_us:
        vehicle = replace(vehicle, last_heartbeat_us=at)
    return vehicle


def _with_customer_event(
    customer: SearchedCustomer | None, event: Aggregate.Event
) -> SearchedCustomer:
    if isinstance(event, Customer.Created):
        return SearchedCustomer(version=event.originator_version, customer_name=event.name)
    if customer is None:
        raise LookupError(f"customer {event.originator_id} was never registered")
    says = vars(event)
    return replace(
        customer,
        version=event.originator_version,
        customer_name=says.get("name", customer.customer_name),
        disconnect_after_s=says.get("disconnect_after_s", customer.disconnect_after_s),
    )


def _with_vehicle_event(vehicle: SearchedVehicle | None, event: Aggregate.Event) -> SearchedVehicle:
    if isinstance(event, Vehicle.Created):
        vehicle = replace(vehicle or SearchedVehicle(vin=event.vin), registered=True)
    elif vehicle is None or not vehicle.registered:
        raise LookupError(f"vehicle {event.originator_id} was never registered")
    if isinstance(event, Vehicle.Decommissioned | Vehicle.Recommissioned):
        vehicle = replace(vehicle, decommissioned=isinstance(event, Vehicle.Decommissioned))
    says = vars(event)
    return replace(
        vehicle,
        version=event.originator_version,
        registration_number=says.get("registration_number", vehicle.registration_number),
        customer_id=str(says.get("customer_id", vehicle.customer_id)),
        labels=says.get("labels", vehicle.labels),
        disconnect_after_s=says.get("disconnect_after_s", vehicle.disconnect_after_s),
    )
