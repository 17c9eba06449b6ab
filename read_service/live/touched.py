"""Which vehicle an event of the log is about."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from projections.customer_vehicles.model import VehicleView
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.logged_event import LoggedEvent

OF_A_VEHICLE = ("Vehicle.", "Heartbeat.", "Connection.Vehicle", "Connection.Mended", "Trip.")
"""How the topics of the events begin that are about one vehicle."""


def vehicle_id_of(logged: LoggedEvent, event: Any) -> UUID:
    """The vehicle that an event of one vehicle is about, by the id of its aggregate."""
    if logged.topic.startswith("Vehicle."):
        return logged.stream
    return _vehicle_stream(event.vin)


def vins_of(
    log: EventLog, ids: Iterable[UUID], known: Mapping[UUID, VehicleView]
) -> dict[UUID, str]:
    """The VINs of the vehicles, also of those that are in use no longer, which the log knows."""
    wanted = set(ids)
    vins = {id_: known[id_].vehicle.vin for id_ in wanted & known.keys()}
    if others := wanted - vins.keys():
        found = log.aggregates(list(others))
        vins |= {id_: one.vin for id_, one in found.items() if isinstance(one, Vehicle)}
    return vins


@lru_cache(maxsize=200_000)
def _vehicle_stream(vin: str) -> UUID:
    return vehicle_stream(vin)
