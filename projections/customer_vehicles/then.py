"""Documents as they were at an instant: what they are now, and the events that tell them apart.

It is pure, and folds by the read model's own `evolve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec.structs import fields, replace

from projections.customer_vehicles.fold import TOPICS, evolve, with_said
from projections.customer_vehicles.model import VehicleDocument
from projections.customer_vehicles.said import MEASURED, PLACED, Said

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from eventsourcing.domain import Aggregate

    from projections.customer_vehicles.model import Aggregated, Document
    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
    from vehicle_tracker.history import Place

_SAID = {"last_heartbeat_at", *MEASURED, *PLACED}

ONLY_SHOWN = {*MEASURED, "grid_cell"}
"""What no vehicle is searched by, of what was."""

_UNREGISTERED = {
    field.name: field.default
    for field in fields(VehicleDocument)
    if field.name not in {"vehicle_id", "vin", *_SAID}
}


def id_of(document: Aggregated) -> UUID:
    """The stream of its own events."""
    if isinstance(document, VehicleDocument):
        return document.vehicle_id
    return document.customer_id


def as_decided(document: Aggregated, own: Iterable[Aggregate.Event], at: datetime) -> Aggregated:
    """A document of then as all its own events made it; what heartbeats say of it stays."""
    is_vehicle = isinstance(document, VehicleDocument)
    then: Document | None = replace(document, **_UNREGISTERED) if is_vehicle else None
    for event in own:
        if event.timestamp <= at and getattr(event, "TOPIC", "") in TOPICS:
            then = evolve(then, event)
    return cast("Aggregated", then)


def as_said(
    document: VehicleDocument, place: Place | None, newest: HeartbeatRecorded | None
) -> VehicleDocument:
    """A vehicle as its newest heartbeat of then says, at the place of then if it moved on since."""
    then = replace(document, **dict.fromkeys(("last_heartbeat_at", *MEASURED)))
    if place:
        at, latitude, longitude = place
        then = replace(then, position_recorded_at=at, latitude=latitude, longitude=longitude)
    return with_said(then, Said(newest, None)) if newest else then


def is_placed_after(document: VehicleDocument, at: datetime) -> bool:
    """True if its place is one that it said later."""
    return document.position_recorded_at is not None and document.position_recorded_at > at
