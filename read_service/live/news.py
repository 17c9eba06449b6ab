"""What a stretch of the log means to those who asked for vehicles: which to show, which no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from projections.customer_vehicles.model import VehicleView
from projections.vehicle_search.predicate import matches
from read_service.items import vehicle_item
from vehicle_tracker.domain.values import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from projections.vehicle_search.model import VehicleQuery
    from vehicle_tracker.settings import Settings

_MICROSECOND = timedelta(microseconds=1)


class Seen(NamedTuple):
    """A vehicle as it was when something happened to it; None: it was not in use."""

    view: VehicleView | None
    at: datetime
    open_trip_id: UUID | None = None


class Touched(NamedTuple):
    """A vehicle to which something happened: the last position of it, and how it is now.

    `decided`: it was not only heard of, but something was decided about it.
    """

    vin: str
    position: int
    decided: bool
    now: Seen
    before: Seen | None


class Message(NamedTuple):
    """What is said of a vehicle. `needless`: whoever has heard all so far knows it already."""

    position: int
    text: bytes
    needless: bool = False


def event(name: str, data: object) -> bytes:
    """A server-sent event, but for the empty line that ends it."""
    return b"event: %b\ndata: %b\n" % (name.encode(), msgspec.json.encode(data))


class News:
    """What happened to vehicles up to a position. Each is written once, whoever hears of it."""

    def __init__(self, touched: Mapping[UUID, Touched], position: int, settings: Settings) -> None:
        self._touched = touched
        self._position = position
        self._settings = settings
        self._limit = settings.disconnect_after_s
        self._written: dict[str, bytes] = {}

    def told(self, query: VehicleQuery, vins: frozenset[str]) -> dict[str, Message]:
        """By VIN, what somebody hears who asked for these; no `vins`: all that the query finds."""
        told: dict[str, Message] = {}
        decided = replace(query, statuses=(), silent_for=None, box=None, near=None)
        for one in self._touched.values():
            if vins and one.vin not in vins:
                continue
            view, at, _ = one.now
            if view is not None and matches(query, view, at, self._limit):
                told[one.vin] = Message(one.position, self._vehicle(one, view))
            elif view is None or one.decided or matches(decided, view, at, self._limit):
                gone = event("gone", {"vin": one.vin, "position": self._position})
                told[one.vin] = Message(one.position, gone, not self._may_be_shown(query, one))
        return told

    def _vehicle(self, one: Touched, view: VehicleView) -> bytes:
        if one.vin not in self._written:
            at = one.now.at
            shown = {
                "vehicle": vehicle_item(view, at, self._settings, one.now.open_trip_id),
                "position": self._position,
                "as_of": at,
                "answered_at": utc_now(),
            }
            self._written[one.vin] = event("vehicle", shown)
        return self._written[one.vin]

    def _may_be_shown(self, query: VehicleQuery, one: Touched) -> bool:
        """Whether it was among those asked for since something happened to it before this."""
        if one.before is None:
            return True
        view = one.before.view
        return view is not None and any(
            matches(query, view, at, self._limit) for at in _instants(query, one, view)
        )


def _instants(query: VehicleQuery, one: Touched, view: VehicleView) -> Iterator[datetime]:
    """When a vehicle that only grew older may have begun or ceased to be one that is asked for."""
    began, ended = one.before.at if one.before else one.now.at, one.now.at
    yield began
    yield ended
    last = view.vehicle.last_heartbeat_at
    if query.silent_for is not None and last is not None:
        silent = last + query.silent_for + _MICROSECOND
        if began < silent < ended:
            yield silent
