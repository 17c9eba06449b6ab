"""All vehicles that are watched, by whose limit, and which of them is due next."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from vehicle_tracker.domain.connection import ConnectionEvent
from vehicle_tracker.domain.values import to_microseconds
from write_service.alarms import Alarms
from write_service.connection_rule import Watch
from write_service.lateness import Lateness

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID


class Watched(msgspec.Struct, array_like=True, gc=False):
    """A vehicle, its own limit if it has one, and its customer's id. `alarm`: see `Fleet`."""

    watch: Watch
    customer: bytes = b""
    own_limit_s: int | None = None
    alarm: int | None = None

    @property
    def due(self) -> int | None:
        """When something happens by itself."""
        return self.watch.due


class Fleet:
    """Watches the vehicles of a log that is told to it in order, and collects what follows.

    A vehicle has at most one alarm that counts, its earliest. A heartbeat does not move it: when
    it goes off it is set to when the vehicle is due by then. So a heartbeat costs no queue, and
    there are as many alarms as vehicles.
    """

    def __init__(self, default_limit_s: int) -> None:
        self._default_limit_s = default_limit_s
        self.vehicles: dict[str, Watched] = {}
        self.customer_limits: dict[bytes, int] = {}
        self.lateness = Lateness()
        self.told: list[ConnectionEvent] = []
        """What follows and is not in the log yet, as far as this fleet knows."""
        self._alarms: Alarms[Watched] = Alarms()
        self._customers: dict[bytes, bytes] = {}

    def restore(
        self, vehicles: Iterable[Watched], customer_limits: dict[bytes, int], lateness: Lateness
    ) -> None:
        """Go on from what was kept; the default limit may have changed since."""
        self.customer_limits = customer_limits
        self.lateness = lateness
        for one in vehicles:
            one.customer = self._customers.setdefault(one.customer, one.customer)
            one.watch.limit_s = self._limit_of(one)
            one.alarm = None
            self._alarms.set(one)
            self.vehicles[one.watch.vin] = one

    def heard(self, vin: str, recorded: int, received: int) -> None:
        """A heartbeat, its instants in microseconds."""
        one = self._watched(vin)
        newest = one.watch.newest
        is_newest = newest is None or recorded > newest
        until = self.lateness.heard(recorded, received, newest=is_newest)
        if events := one.watch.heard(recorded, until):
            self.told += events
        if one.alarm is None or one.watch.late is not None:
            self._alarms.set(one)

    def noted(self, event: ConnectionEvent) -> None:
        """What a monitor, this one or another, has appended."""
        self.told += self._watched(event.vin).watch.noted(event)

    def resumed(self, since: datetime, until: datetime) -> None:
        """Nobody may have listened in between: for all vehicles, silence counts anew."""
        start, end = self.lateness.judged(to_microseconds(since)), to_microseconds(until)
        for one in self.vehicles.values():
            self.told += one.watch.resumed(start, end)

    def belongs(self, vin: str, customer_id: UUID, at: datetime) -> None:
        """The vehicle belongs to a customer from now on."""
        one = self._watched(vin)
        one.customer = self._customers.setdefault(customer_id.bytes, customer_id.bytes)
        self._limit(one, at)

    def limit_vehicle(self, vin: str, limit_s: int | None, at: datetime) -> None:
        """The vehicle has a limit of its own from now on, or none."""
        one = self._watched(vin)
        one.own_limit_s = limit_s
        self._limit(one, at)

    def limit_customer(self, customer_id: UUID, limit_s: int | None, at: datetime) -> None:
        """The customer has a limit of its own from now on, or none."""
        if limit_s is None:
            self.customer_limits.pop(customer_id.bytes, None)
        else:
            self.customer_limits[customer_id.bytes] = limit_s
        for one in self.vehicles.values():
            if one.customer == customer_id.bytes:
                self._limit(one, at)

    def is_due(self, until: int) -> bool:
        """Whether anything happens by itself once this instant has passed."""
        with closing(self._alarms.due(self.lateness.judged(until))) as due:
            for one in due:
                self._alarms.set(one)
                return True
        return False

    def passed(self, until: int, most: int) -> None:
        """This instant has passed and all received before it was heard; tells about `most`."""
        if len(self.told) >= most:
            return
        judged = self.lateness.judged(until)
        with closing(self._alarms.due(judged)) as due:
            for one in due:
                self.told += one.watch.passed(judged)
                self._alarms.set(one)
                if len(self.told) >= most:
                    return

    def _watched(self, vin: str) -> Watched:
        one = self.vehicles.get(vin)
        if one is None:
            one = self.vehicles[vin] = Watched(Watch(vin, self._default_limit_s))
        return one

    def _limit_of(self, one: Watched) -> int:
        if one.own_limit_s is not None:
            return one.own_limit_s
        return self.customer_limits.get(one.customer, self._default_limit_s)

    def _limit(self, one: Watched, at: datetime) -> None:
        limit_s = self._limit_of(one)
        if limit_s != one.watch.limit_s:
            until = self.lateness.judged(to_microseconds(at))
            self.told += one.watch.limited(limit_s, until)
            self._alarms.set(one)
