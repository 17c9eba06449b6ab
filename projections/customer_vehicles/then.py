"""Documents as they were at an instant: what they are now, and the events that tell them apart.

It is pure, and folds by the read model's own `evolve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec.structs import fields, replace

from projections.customer_vehicles.fold import TOPICS, evolve
from projections.customer_vehicles.model import (
    CustomerDocument,
    NewestHeartbeat,
    VehicleDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from eventsourcing.domain import Aggregate

    from projections.customer_vehicles.model import Document
    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded

_PLACE = ("position_recorded_at", "latitude", "longitude")
_NOWHERE = dict.fromkeys(_PLACE)
_UNHEARD = dict.fromkeys(set(NewestHeartbeat.__struct_fields__) - {"vehicle_id", *_PLACE})
_UNREGISTERED = {
    field.name: field.default
    for field in fields(VehicleDocument)
    if field.name not in {"vin", *NewestHeartbeat.__struct_fields__}
}


def is_heard_after(document: VehicleDocument, at: datetime) -> bool:
    """True if the newest heartbeat of `at` is not the one that is known now."""
    return document.last_heartbeat_at is not None and document.last_heartbeat_at > at


def is_placed_after(document: VehicleDocument, at: datetime) -> bool:
    """True if the last place of `at` is not the one that is known now."""
    return document.position_recorded_at is not None and document.position_recorded_at > at


def vehicle_then(
    document: VehicleDocument,
    at: datetime,
    own: Sequence[Aggregate.Event],
    said: Iterable[HeartbeatRecorded],
) -> VehicleDocument:
    """A vehicle as it was at `at`; without `registered_at` it was not registered yet.

    `own` are the vehicle's own events, none if it was only ever registered; `said`, if it was heard
    later, its newest heartbeat and the newest with a place of then.
    """
    then: Document = document
    if is_heard_after(document, at):
        then = replace(then, **_UNHEARD)
        if is_placed_after(document, at):
            then = replace(then, **_NOWHERE)
        for heartbeat in said:
            then = evolve(then, heartbeat)
    if own:
        then = _folded(replace(then, **_UNREGISTERED), own, at) or then
    return cast("VehicleDocument", then)


def customer_then(own: Sequence[Aggregate.Event], at: datetime) -> CustomerDocument | None:
    """A customer as it was at `at`, by all its events; None if it was not registered yet."""
    then = _folded(None, own, at)
    return then if isinstance(then, CustomerDocument) else None


def _folded(
    document: Document | None, own: Iterable[Aggregate.Event], at: datetime
) -> Document | None:
    for event in own:
        if event.timestamp <= at and getattr(event, "TOPIC", "") in TOPICS:
            document = evolve(document, event)
    return document
