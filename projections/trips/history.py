"""Vehicles' heartbeats, read from the log again: many vehicles' at once, in pieces."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from projections.trips.measure import Reading
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.values import heartbeat_stream, to_microseconds
from vehicle_tracker.logged_event import LEAST, MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from vehicle_tracker.event_log import EventLog

K = TypeVar("K")

_SPANS, _EVENTS = 200, 500
"""So many spans are read in one round trip, and so many events of each."""


class Span(NamedTuple):
    """Which of a vehicle's heartbeats: `after < recorded_at <= until`, in microseconds."""

    vin: str
    after: int
    until: int


def during(vin: str, since: datetime, until: datetime) -> Span:
    """The heartbeats of both instants and in between."""
    return Span(vin, to_microseconds(since) - 1, to_microseconds(until))


def following(vin: str, instant: datetime, until: datetime) -> Span:
    """The heartbeats after an instant, up to another."""
    return Span(vin, to_microseconds(instant), to_microseconds(until))


def since(vin: str, instant: datetime | None) -> Span:
    """All heartbeats after an instant; None: all there are."""
    return Span(vin, to_microseconds(instant) if instant else LEAST, MOST)


class History:
    """The log as it was at one position: what came later is not in it yet."""

    def __init__(self, log: EventLog, position: int) -> None:
        self._log = log
        self.position = position

    def read(self, spans: Mapping[K, Span]) -> Iterator[tuple[K, list[Reading]]]:
        """The readings of each span in pieces, those of the same one by `recorded_at`."""
        left = dict(spans)
        while left:
            for key, rows in self._pieces(dict(itertools.islice(left.items(), _SPANS))):
                yield key, [one for _, state in rows if (one := _reading(state))]
                if len(rows) < _EVENTS:
                    del left[key]
                else:
                    left[key] = left[key]._replace(after=rows[-1][0])

    def _pieces(self, spans: Mapping[K, Span]) -> Iterator[tuple[K, list[tuple[int, bytes]]]]:
        keys = list(spans)
        asked = [(heartbeat_stream(one.vin), one.after, one.until) for one in spans.values()]
        found: list[list[tuple[int, bytes]]] = [[] for _ in keys]
        for number, version, state in self._log.rows.spans_as_of(self.position, asked, _EVENTS):
            found[number - 1].append((version, state))
        return zip(keys, found, strict=True)


def _reading(state: bytes) -> Reading | None:
    try:
        return Reading.of(heartbeat.decode(state))
    except msgspec.MsgspecError:
        return None  # it is parked: nobody has folded it
