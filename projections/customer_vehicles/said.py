"""What a vehicle said last: the fold of its heartbeats, and how two of those are merged. Pure.

The newest heartbeat by `recorded_at` tells its measurements, the newest with a place its place. So
heartbeats may come in any order, repeated, in portions of any size: a portion's fold is merged into
what is kept without looking at that before.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.customer_vehicles.cells import cell_of

if TYPE_CHECKING:
    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded

MEASURED = (
    "speed_kmh",
    "heading_deg",
    "altitude_m",
    "accuracy_m",
    "odometer_km",
    "fuel_level",
    "battery_level",
    "ignition",
    "attributes",
)
"""What the newest heartbeat tells, called as it calls it."""

PLACED = ("position_recorded_at", "latitude", "longitude", "grid_cell")
"""What the newest heartbeat with a place tells."""

_measured = attrgetter(*MEASURED)


class Said(NamedTuple):
    """The newest heartbeat, and the newest one with a place."""

    newest: HeartbeatRecorded
    placed: HeartbeatRecorded | None

    def measurements(self) -> tuple[Any, ...]:
        """When it was heard last, in UTC, and what is `MEASURED`."""
        return (self.newest.recorded_at, *_measured(self.newest.heartbeat))

    def place(self) -> tuple[Any, ...]:
        """What is `PLACED`; nothing but None if it said no place."""
        if self.placed is None:
            return (None, None, None, None)
        latitude, longitude = self.placed.heartbeat.latitude, self.placed.heartbeat.longitude
        cell = cell_of(latitude or 0.0, longitude or 0.0)
        return self.placed.recorded_at, latitude, longitude, cell


def with_heartbeat(said: Said | None, event: HeartbeatRecorded) -> Said:
    """What it said last after one more heartbeat; the very same if that tells nothing new."""
    at = event.recorded_at  # which raises of an instant that is none in UTC
    has_place = event.heartbeat.latitude is not None
    if said is None:
        return Said(event, event if has_place else None)
    newest, placed = said
    if at > newest.recorded_at:
        return Said(event, event if has_place else placed)
    if has_place and (placed is None or at > placed.recorded_at):
        return Said(newest, event)
    return said
