"""A heartbeat: what a vehicle says of itself at one instant.

A vehicle's heartbeats are not an aggregate but a log of their own, one stream a vehicle, whose
version is the heartbeat's time in microseconds. So an append reads nothing first, a re-sent
heartbeat meets the primary key, and a late one finds its own place.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from vehicle_tracker.domain.values import to_microseconds


class Heartbeat(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What the vehicle said, verbatim. Degrees are WGS 84; a missing field was not said."""

    vin: str
    recorded_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    speed_kmh: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    odometer_km: float | None = None
    fuel_level: float | None = None
    battery_level: float | None = None
    ignition: bool | None = None
    attributes: dict[str, str | int | float | bool] | None = None


class HeartbeatRecorded(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A heartbeat was received and is durable. The state of its row in the log is its JSON.

    `request_id` is there if whoever sent it gave one: by it the heartbeat is found in every log.
    """

    TOPIC: ClassVar[str] = "Heartbeat.Recorded"

    received_at: datetime
    heartbeat: Heartbeat
    request_id: str | None = None

    @property
    def vin(self) -> str:
        """Whose heartbeat it is."""
        return self.heartbeat.vin

    @property
    def recorded_at(self) -> datetime:
        """The instant it speaks of: when it was received, if the vehicle did not say."""
        return self.heartbeat.recorded_at or self.received_at

    @property
    def version(self) -> int:
        """Its place in the vehicle's stream: `recorded_at` in microseconds."""
        return to_microseconds(self.recorded_at)


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(HeartbeatRecorded).decode
