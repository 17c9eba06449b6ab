"""Connection, as it was judged: what the monitor appends, and the intervals it adds up to.

An event is never taken back. Each says something that stays true, that the vehicle was connected
*then*, and what arrives late adds to it; so what is connected is the union of what was said.

A vehicle's events are one stream. Its order is that of the heartbeats they were judged by, and a
heartbeat can connect (or mend) once and be the last before silence once: that is the version. So
judging the same thing twice meets the primary key, and nothing else does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from vehicle_tracker.domain.values import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LISTENING_STREAM = uuid5(NAMESPACE_URL, "vehicle-tracker:listening")

_CONNECTIONS = uuid5(NAMESPACE_URL, "vehicle-tracker:connections")


class VehicleConnected(msgspec.Struct, frozen=True, gc=False):
    """The vehicle is connected from this heartbeat on: it is its first, or came after silence."""

    TOPIC: ClassVar[str] = "Connection.VehicleConnected"

    vin: str
    recorded_at: datetime
    disconnect_after_s: int

    @property
    def at(self) -> datetime:
        """The instant from which it is connected."""
        return self.recorded_at

    @property
    def version(self) -> int:
        """Its place in the stream."""
        return 2 * to_microseconds(self.recorded_at)


class VehicleDisconnected(msgspec.Struct, frozen=True, gc=False):
    """Nothing newer than this heartbeat had come when the limit had passed."""

    TOPIC: ClassVar[str] = "Connection.VehicleDisconnected"

    vin: str
    recorded_at: datetime
    disconnect_after_s: int

    @property
    def at(self) -> datetime:
        """The last instant at which it was connected."""
        return self.recorded_at + timedelta(seconds=self.disconnect_after_s)

    @property
    def version(self) -> int:
        """Its place in the stream: after what the same heartbeat may have connected."""
        return 2 * to_microseconds(self.recorded_at) + 1


class ConnectionMended(msgspec.Struct, frozen=True, gc=False):
    """Heartbeats that came late say that the vehicle was connected then, too.

    They are those between `first_recorded_at` and `last_recorded_at`; the one read last is
    `recorded_at`. It changes the past only: whether the vehicle is connected now is as it was.
    """

    TOPIC: ClassVar[str] = "Connection.Mended"

    vin: str
    recorded_at: datetime
    disconnect_after_s: int
    first_recorded_at: datetime
    last_recorded_at: datetime

    @property
    def at(self) -> datetime:
        """The instant from which it was connected."""
        return self.first_recorded_at

    @property
    def until(self) -> datetime:
        """The last instant at which these heartbeats say that it was connected."""
        return self.last_recorded_at + timedelta(seconds=self.disconnect_after_s)

    @property
    def version(self) -> int:
        """Its place in the stream: that of a connection, for no late heartbeat connects."""
        return 2 * to_microseconds(self.recorded_at)


class ListeningResumed(msgspec.Struct, frozen=True, gc=False):
    """Nothing was heard of any vehicle for a while, and the monitor was not there all of it.

    Maybe the vehicles were silent, maybe nobody could listen. So their silence counts anew from
    `until`: a vehicle that keeps its heartbeats and sends them again must not be declared gone.
    """

    TOPIC: ClassVar[str] = "Connection.ListeningResumed"

    since: datetime
    until: datetime

    @property
    def version(self) -> int:
        """Its place in the stream of all of them."""
        return to_microseconds(self.until)


ConnectionEvent = VehicleConnected | VehicleDisconnected | ConnectionMended
"""What is said of one vehicle."""

encode = msgspec.json.Encoder().encode
decoders: dict[str, Callable[[bytes], ConnectionEvent | ListeningResumed]] = {
    VehicleConnected.TOPIC: msgspec.json.Decoder(VehicleConnected).decode,
    VehicleDisconnected.TOPIC: msgspec.json.Decoder(VehicleDisconnected).decode,
    ConnectionMended.TOPIC: msgspec.json.Decoder(ConnectionMended).decode,
    ListeningResumed.TOPIC: msgspec.json.Decoder(ListeningResumed).decode,
}
"""By topic, what makes an event of the state of its row."""


class Interval(NamedTuple):
    """From when until when, both included, a vehicle was connected; no `end`: it still is."""

    start: datetime
    end: datetime | None


class Judged(NamedTuple):
    """A heartbeat that connected a vehicle or, with the `end` of that, was the last before silence.

    One that did both is there twice.
    """

    at: datetime
    end: datetime | None


def connection_stream(vin: str) -> UUID:
    """The stream of a vehicle's connection events."""
    return uuid5(_CONNECTIONS, vin)


def intervals(events: Iterable[ConnectionEvent]) -> list[Interval]:
    """When a vehicle was connected, by all its connection events in any order: by time, disjoint.

    It is what its heartbeats say, each of which connects it for the limit that was in force: a
    gap is where no heartbeat reaches, whatever order they came in.
    """
    judged: list[Judged] = []
    mended: list[Interval] = []
    for event in sorted(events, key=lambda one: one.version):
        if isinstance(event, ConnectionMended):
            mended.append(Interval(event.at, event.until))
        else:
            judged.append(judged_by(event))
    return stretches(judged, mended)


def judged_by(event: VehicleConnected | VehicleDisconnected) -> Judged:
    """The heartbeat that it was judged by."""
    return Judged(event.recorded_at, event.at if isinstance(event, VehicleDisconnected) else None)


def stretches(judged: Iterable[Judged], mended: Iterable[Interval]) -> list[Interval]:
    """The same, of what was judged by version and what was mended in any order."""
    spans = list(mended)
    start: datetime | None = None
    for at, end in judged:
        if end is None:
            start = start or at
        else:
            spans.append(Interval(start or at, end))
            start = None
    if start:
        spans.append(Interval(start, None))
    return union(spans)


def union(spans: Iterable[Interval]) -> list[Interval]:
    """What is in any of them: by time, disjoint."""
    merged: list[Interval] = []
    for span in sorted(spans, key=itemgetter(0)):
        last = merged[-1] if merged else None
        if last is None or (last.end is not None and last.end < span.start):
            merged.append(span)
        elif last.end is not None and (span.end is None or span.end > last.end):
            merged[-1] = Interval(last.start, span.end)
    return merged
