"""The fold that makes customers and vehicles of events.

It is pure. Heartbeats may come in any order, repeated, before or after what is decided about their
vehicle (see `said`); and so may what was judged of its connection. A vehicle's or customer's own
events come in order, maybe repeated: `version` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from projections.customer_vehicles.connections import ConnectionsDocument, with_connection
from projections.customer_vehicles.model import (
    Aggregated,
    CustomerDocument,
    Document,
    VehicleDocument,
)
from projections.customer_vehicles.said import MEASURED, PLACED, Said, with_heartbeat
from projections.text import folded
from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
)
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from eventsourcing.domain import Aggregate

    Event = Aggregate.Event | HeartbeatRecorded | ConnectionEvent


class Key(NamedTuple):
    """Which document an event is folded into.

    `id` is text, because a UUID is slow to hash; of what a vehicle said it is the VIN, because a
    UUID is slow to make.
    """

    kind: type[Document]
    id: str


FLEET_TOPICS = frozenset(
    {
        HeartbeatRecorded.TOPIC,
        Customer.Created.TOPIC,
        Customer.DetailsChanged.TOPIC,
        Customer.DisconnectAfterChanged.TOPIC,
        Vehicle.Created.TOPIC,
        Vehicle.RegistrationNumberChanged.TOPIC,
        Vehicle.MovedToCustomer.TOPIC,
        Vehicle.LabelsChanged.TOPIC,
        Vehicle.DisconnectAfterChanged.TOPIC,
        Vehicle.Decommissioned.TOPIC,
        Vehicle.Recommissioned.TOPIC,
    }
)
"""What is decided about customers and vehicles, and what vehicles say of themselves."""

TOPICS = FLEET_TOPICS | {
    Customer.TripRulesChanged.TOPIC,
    VehicleConnected.TOPIC,
    VehicleDisconnected.TOPIC,
    ConnectionMended.TOPIC,
}
"""What this read model is made of; every other event is not for it."""

CUSTOMER_EVENTS = (
    Customer.Created,
    Customer.DetailsChanged,
    Customer.DisconnectAfterChanged,
    Customer.TripRulesChanged,
)


def key_of(event: Event) -> Key:
    """The document that an event is folded into."""
    if isinstance(event, HeartbeatRecorded):
        return Key(Said, event.heartbeat.vin)
    if isinstance(event, ConnectionEvent):
        return Key(ConnectionsDocument, str(vehicle_stream(event.vin)))
    kind = CustomerDocument if isinstance(event, CUSTOMER_EVENTS) else VehicleDocument
    return Key(kind, str(event.originator_id))


def evolve(document: Document | None, event: Event) -> Document:
    """The document after the event; the very same one if the event says nothing new.

    An event of something never registered raises `LookupError`.
    """
    if isinstance(event, HeartbeatRecorded):
        return with_heartbeat(document if isinstance(document, Said) else None, event)
    if isinstance(event, ConnectionEvent):
        known = document if isinstance(document, ConnectionsDocument) else None
        return with_connection(known, event)
    if isinstance(document, Aggregated) and event.originator_version <= document.version:
        return document
    if isinstance(event, CUSTOMER_EVENTS):
        customer = document if isinstance(document, CustomerDocument) else None
        return _with_customer_event(customer, event)
    vehicle = document if isinstance(document, VehicleDocument) else None
    return _with_vehicle_event(vehicle, event)


def before_its_own_events(document: Document | None) -> Document | None:
    """What is left of a document to fold all events of its aggregate into again, from the first."""
    return replace(document, version=0) if isinstance(document, Aggregated) else document


def with_said(document: VehicleDocument, said: Said) -> VehicleDocument:
    """A vehicle that was decided about, with what it said last; where it is stays if it did not."""
    names = "last_heartbeat_at", *MEASURED
    document = replace(document, **dict(zip(names, said.measurements(), strict=True)))
    if said.placed is None:
        return document
    return replace(document, **dict(zip(PLACED, said.place(), strict=True)))


def _with_customer_event(
    document: CustomerDocument | None, event: Aggregate.Event
) -> CustomerDocument:
    if isinstance(event, Customer.Created):
        return CustomerDocument(
            customer_id=event.originator_id,
            version=event.originator_version,
            name=event.name,
            address=event.address,
            folded_name=folded(event.name),
            registered_at=event.timestamp,
        )
    if document is None:
        raise LookupError(f"customer {event.originator_id} was never registered")
    says = vars(event)
    name = says.get("name", document.name)
    return replace(
        document,
        version=event.originator_version,
        name=name,
        address=says.get("address", document.address),
        folded_name=folded(name),
        disconnect_after_s=says.get("disconnect_after_s", document.disconnect_after_s),
        trip_rules=says.get("rules", document.trip_rules),
    )


def _with_vehicle_event(
    document: VehicleDocument | None, event: Aggregate.Event
) -> VehicleDocument:
    if isinstance(event, Vehicle.Created):
        document = document or VehicleDocument(vehicle_id=event.originator_id, vin=event.vin)
        document = replace(document, registered_at=event.timestamp)
    elif document is None or document.registered_at is None:
        raise LookupError(f"vehicle {event.originator_id} was never registered")
    if isinstance(event, Vehicle.Decommissioned):
        document = replace(document, decommissioned_at=event.timestamp)
    elif isinstance(event, Vehicle.Recommissioned):
        document = replace(document, decommissioned_at=None)
    says = vars(event)
    document = replace(
        document,
        version=event.originator_version,
        registration_number=says.get("registration_number", document.registration_number),
        customer_id=says.get("customer_id", document.customer_id),
        labels=says.get("labels", document.labels),
        disconnect_after_s=says.get("disconnect_after_s", document.disconnect_after_s),
    )
    return replace(document, search_text=_search_text(document))


def _search_text(document: VehicleDocument) -> str:
    plate = folded(document.registration_number or "").replace(" ", "")
    # In an order of their own: PostgreSQL keeps labels in another than they were given in.
    labels = (folded(f"{key}={value}") for key, value in sorted((document.labels or {}).items()))
    return " ".join([document.vin.casefold(), plate, *labels])
