"""The rule by which a vehicle is connected or not: a fold over its heartbeats in log order.

It reads no clock and no database. Time passes by what it is told: with a heartbeat, up to when
silence may be judged by then (`lateness`), and whoever has read all up to an instant may say that
this instant has passed. Both lead to the same events, so it does not matter when, or how often, a
monitor ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from vehicle_tracker.domain.connection import (
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
)
from vehicle_tracker.domain.values import from_microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vehicle_tracker.domain.connection import ConnectionEvent

SECOND = 1_000_000
MENDS_AFTER = 5 * SECOND
"""Late heartbeats come in crowds: those of so many microseconds that connect are one event."""


class Late(msgspec.Struct, array_like=True, gc=False):
    """Late heartbeats of which each reaches the next, not told yet. Microseconds."""

    first: int
    last: int
    read_last: int
    due: int


class Watch(msgspec.Struct, array_like=True, gc=False):
    """What must be remembered of a vehicle to judge it. Instants in microseconds, limit in s.

    `since` is the heartbeat that connected it, `newest` its newest one, `ended` when it was
    declared disconnected after that; its silence counts from `listening` at the earliest. It is
    changed in place: a fleet's heartbeats are many.
    """

    vin: str
    limit_s: int
    since: int = 0
    newest: int | None = None
    ended: int | None = None
    late: Late | None = None
    listening: int | None = None

    @property
    def reach(self) -> int:
        """How long a heartbeat connects."""
        return self.limit_s * SECOND

    @property
    def due(self) -> int | None:
        """When something happens by itself, once this instant has passed."""
        ends = self._silent_after()
        if self.late is None:
            return ends
        return self.late.due if ends is None else min(ends, self.late.due)

    def heard(self, recorded: int, until: int) -> Sequence[ConnectionEvent]:
        """What follows from the next heartbeat of the log, when the time before `until` passed."""
        if self.newest is None:
            self.since = self.newest = recorded
            return [self._connected(recorded)]
        due = self.due
        events = [*self.passed(until)] if due is not None and due < until else []
        if recorded < self.newest:
            if not self._covers(recorded):
                events += self._heard_late(recorded, until)
        elif recorded > self.newest:
            if self.ended is None and recorded > self.newest + self.reach:
                events.append(self._disconnected())  # its clock is ahead: no time has passed yet
            if self.ended is not None:
                events.append(self._connected(recorded))
                self.since, self.ended = recorded, None
            self.newest = recorded
        return events

    def passed(self, until: int) -> Sequence[ConnectionEvent]:
        """What follows from the time before `until`, if all received before it has been heard."""
        events: list[ConnectionEvent] = []
        if self.late and self.late.due < until:
            events += self._tell_late()
        silent_after = self._silent_after()
        if silent_after is not None and silent_after < until:
            events.append(self._disconnected())
        return events

    def limited(self, limit_s: int, at: int) -> Sequence[ConnectionEvent]:
        """What follows from another limit. It holds for all that is not judged at `at`."""
        events = [*self.passed(at), *self._tell_late()]
        self.limit_s = limit_s
        return events

    def resumed(self, since: int, until: int) -> Sequence[ConnectionEvent]:
        """What follows from nobody having listened for a while: its silence counts anew."""
        events = self.passed(since)
        self.listening = until
        return events

    def noted(self, event: ConnectionEvent) -> Sequence[ConnectionEvent]:
        """What follows from an event of the monitor's in the log: time had passed by then.

        Whoever judges has read everything, so the event follows from what was heard before it.
        """
        by = event.version // 2
        if isinstance(event, VehicleDisconnected) and by == self.newest and self.ended is None:
            limit_s, self.limit_s = self.limit_s, event.disconnect_after_s
            declared = self._disconnected()
            self.limit_s = limit_s
            return [declared]
        if isinstance(event, ConnectionMended) and self.late and self.late.read_last == by:
            return self._tell_late()
        return ()

    def _silent_after(self) -> int | None:
        """The instant after which it is declared disconnected; None if it is, or never came."""
        if self.newest is None or self.ended is not None:
            return None
        return max(self.newest, self.listening or self.newest) + self.reach

    def _covers(self, recorded: int) -> bool:
        """Whether an older heartbeat lies within the connection of the newest: it tells nothing."""
        return recorded >= self.since and (
            self.ended is None or recorded + self.reach <= self.ended
        )

    def _heard_late(self, recorded: int, until: int) -> Sequence[ConnectionEvent]:
        late = self.late
        if late and late.first - self.reach <= recorded <= late.last + self.reach:
            late.first = min(late.first, recorded)
            late.last = max(late.last, recorded)
            late.read_last = recorded
            return ()
        events = self._tell_late()
        self.late = Late(recorded, recorded, recorded, until + MENDS_AFTER)
        return events

    def _tell_late(self) -> Sequence[ConnectionEvent]:
        late, self.late = self.late, None
        if late is None:
            return ()
        return [
            ConnectionMended(
                self.vin,
                from_microseconds(late.read_last),
                self.limit_s,
                from_microseconds(late.first),
                from_microseconds(late.last),
            )
        ]

    def _connected(self, recorded: int) -> VehicleConnected:
        return VehicleConnected(self.vin, from_microseconds(recorded), self.limit_s)

    def _disconnected(self) -> VehicleDisconnected:
        if self.newest is None:
            raise ValueError(f"{self.vin} was never heard")
        self.ended = self.newest + self.reach
        return VehicleDisconnected(self.vin, from_microseconds(self.newest), self.limit_s)
