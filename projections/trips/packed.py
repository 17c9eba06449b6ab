"""A vehicle as it is remembered between two pages: packed, for there may be a million of them.

One that stands takes some 100 bytes, as the readings of its state are mostly one and the same; as
objects it would be ten times that.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from projections.trips.derivation import State, TripUnderWay
from projections.trips.measure import Reading
from projections.trips.vehicle import Belonging, Followed


class _Packed(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A reading that is the same as `told` is packed as True."""

    told: Reading | None
    last: Reading | bool | None
    odometer: Reading | bool | None
    place: Reading | bool | None
    open: TripUnderWay | None
    since_checkpoint: int
    reported_until: datetime | None
    belongings: dict[int, Belonging]


_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode = msgspec.msgpack.Decoder(_Packed).decode


def packed(vehicle: Followed) -> bytes:
    """All that is remembered of it but its VIN, by which it is found."""
    state = vehicle.state
    told = state.told
    return _encode(
        _Packed(
            told,
            _or_true(state.last, told),
            _or_true(state.odometer, told),
            _or_true(state.place, told),
            state.open,
            vehicle.since_checkpoint,
            vehicle.reported_until,
            vehicle.belongings,
        )
    )


def unpacked(vin: str, kept: bytes) -> Followed:
    """The vehicle that was packed."""
    one = _decode(kept)
    told = one.told
    state = State(
        told if one.last is True else one.last,  # type: ignore[arg-type] # a bool is True
        told,
        told if one.odometer is True else one.odometer,  # type: ignore[arg-type]
        told if one.place is True else one.place,  # type: ignore[arg-type]
        one.open,
    )
    return Followed(vin, one.belongings, one.reported_until, state, one.since_checkpoint)


def _or_true(reading: Reading | None, told: Reading | None) -> Reading | bool | None:
    return True if reading is told and told is not None else reading
