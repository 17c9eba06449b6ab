"""A heartbeat: what a vehicle says of itself at one instant, and how that is kept in the log.

A vehicle's heartbeats are not an aggregate but a log of their own, one stream a vehicle, whose
version is the heartbeat's time in microseconds. So an append reads nothing first, a re-sent
heartbeat meets the primary key, and a late one finds its own place.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from vehicle_tracker.domain.values import to_microseconds


class Heartbeat(msgspec.Struct, kw_only=True, array_like=True, gc=False):
    """What the vehicle said, verbatim. Degrees are WGS 84; a missing field was not said.

    The log knows the fields by their order, what is said most first: add new ones at the end.
    """

    vin: str
    recorded_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    speed_kmh: float | None = None
    heading_deg: float | None = None
    odometer_km: float | None = None
    fuel_level: float | None = None
    ignition: bool | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    battery_level: float | None = None
    attributes: dict[str, str | int | float | bool] | None = None


class HeartbeatRecorded(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A heartbeat was received and is durable.

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
        """The instant it speaks of, in UTC: when it was received, if the vehicle did not say."""
        instant = self.heartbeat.recorded_at or self.received_at
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)

    @property
    def version(self) -> int:
        """Its place in the vehicle's stream: `recorded_at` in microseconds."""
        return to_microseconds(self.recorded_at)


LATITUDE, LONGITUDE = (("{1,2}", "{heartbeat,latitude}"), ("{1,3}", "{heartbeat,longitude}"))
"""Where a state has them, in each encoding: paths of PostgreSQL's `json`."""

_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(HeartbeatRecorded, strict=False).decode  # a number may be an instant
_EXACT_UNTIL = 4e9
"""From 1970 until then, in 2096, a float's seconds name each microsecond."""


def encode(event: HeartbeatRecorded) -> bytes:
    """The state of its row in the log: `[received_at,[vin,recorded_at,latitude,…],request_id]`.

    JSON without names; what is missing at the end is left out. An instant is in seconds since 1970
    or, where that would not give it back exactly, with its offset, in RFC 3339.
    """
    said, recorded_at = event.heartbeat, event.heartbeat.recorded_at
    values = (  # written out: that is faster than an attrgetter
        said.vin,
        recorded_at and _instant(recorded_at),
        said.latitude,
        said.longitude,
        said.speed_kmh,
        said.heading_deg,
        said.odometer_km,
        said.fuel_level,
        said.ignition,
        said.altitude_m,
        said.accuracy_m,
        said.battery_level,
        said.attributes,
    )
    received_at = _instant(event.received_at)
    if event.request_id is not None:
        return _write((received_at, values, event.request_id))
    # No value ends in one of these letters: numbers, texts, objects, true and false do not.
    return _write((received_at, values))[:-2].rstrip(b",nul") + b"]]"


def decode(state: bytes) -> HeartbeatRecorded:
    """The event of a state, whichever release wrote it. Errors: `msgspec.MsgspecError`."""
    return _read(state) if state[:1] == b"[" else _of_object(_read_object(state))


def heard(state: bytes) -> tuple[str, int]:
    """Whose heartbeat a state is and when it was received, in microseconds; the rest is skipped.

    Errors: as of `decode`.
    """
    if state[:1] != b"[":
        event = decode(state)
        return event.vin, to_microseconds(event.received_at)
    row = _read_heard(state)
    received_at = row.received_at
    if isinstance(received_at, float):  # exact, as whoever wrote it has made sure
        return row.heartbeat.vin, round(received_at * 1e6)
    return row.heartbeat.vin, to_microseconds(received_at)


def _instant(instant: datetime) -> float | datetime:
    if instant.tzinfo is UTC and 0 <= (seconds := instant.timestamp()) < _EXACT_UNTIL:
        return seconds
    return instant


class _Heard(msgspec.Struct, array_like=True, gc=False):
    vin: str


class _HeardRecorded(msgspec.Struct, array_like=True, gc=False):
    received_at: float | datetime
    heartbeat: _Heard


_read_heard = msgspec.json.Decoder(_HeardRecorded).decode


class _HeartbeatObject(Heartbeat, array_like=False):
    """As the first releases wrote it, with names."""


class _RecordedObject(msgspec.Struct, gc=False):
    received_at: datetime
    heartbeat: _HeartbeatObject
    request_id: str | None = None


_read_object = msgspec.json.Decoder(_RecordedObject).decode


def _of_object(row: _RecordedObject) -> HeartbeatRecorded:
    said = Heartbeat(**msgspec.structs.asdict(row.heartbeat))
    return HeartbeatRecorded(row.received_at, said, row.request_id)
