"""Which VINs may send heartbeats: remembered, and never out of date.

Vehicles are registered and decommissioned by any write process. So it is asked only by who holds
the writers' lock, when nobody can change that: what is remembered is forgotten if a vehicle was
decommissioned meanwhile, and what is not remembered is looked up, all of a commit's at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vehicle_tracker.domain.values import heartbeat_streams, vehicle_streams
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vehicle_tracker.writing import Writing


class RegisteredVehicles:
    """The registered VINs of an event log, with the streams of their heartbeats.

    Not to be shared by threads: a commit asks, and there is one at a time.
    """

    def __init__(self, as_of: int) -> None:
        self._as_of = as_of
        """No vehicle was decommissioned after this position, as far as we know."""
        self._streams: dict[str, bytes] = {}
        """As bytes: what a million `UUID`s are the garbage collector looks at one by one."""

    def streams(self, vins: Iterable[str], writing: Writing) -> Mapping[str, bytes]:
        """The heartbeat streams of those of the VINs that are registered and in use, and more.

        Each as the 16 bytes of its UUID.
        """
        last = writing.last_decommission(self._as_of)
        if last is not None:
            self._streams = {}
            self._as_of = last
        missing = {vin for vin in vins if vin not in self._streams}
        if missing:
            self._look_up(list(missing), writing)
        return self._streams

    def _look_up(self, vins: Sequence[str], writing: Writing) -> None:
        vin_of = dict(zip(_as_bytes(vehicle_streams(vins)), vins, strict=True))
        gone = Vehicle.Decommissioned.TOPIC
        topics = writing.last_topics(list(vin_of)).items()
        in_use = [vin_of[stream] for stream, topic in topics if topic != gone]
        self._streams |= zip(in_use, _as_bytes(heartbeat_streams(in_use)), strict=True)


def _as_bytes(streams: Iterable[str]) -> Iterable[bytes]:
    return map(bytes.fromhex, streams)
