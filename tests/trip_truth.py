"""What trips a log says there were, worked out slowly: everything is read, nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from projections.trips.derivation import State, step
from projections.trips.measure import Reading, measure
from projections.trips.model import TripQuery
from projections.trips.rules import TripRules
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from projections.trips.reader import RelationalTrips
    from vehicle_tracker.logged_event import LoggedEvent

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""For a reader of that time no trip has ended by silence."""


@dataclass
class Story:
    """All that was said of one vehicle, and its customers' rules."""

    readings: dict[datetime, Reading] = field(default_factory=dict)
    owners: list[tuple[datetime, UUID]] = field(default_factory=list)
    begun: dict[UUID, Trip.Created] = field(default_factory=dict)
    ended: dict[UUID, Trip.Ended] = field(default_factory=dict)
    rules: dict[UUID, Any] = field(default_factory=dict)

    def owner_at(self, instant: datetime) -> UUID:
        """Whose it was; before it was registered, whose it was first."""
        owner = self.owners[0][1]
        for since, customer_id in self.owners:
            if since <= instant:
                owner = customer_id
        return owner

    def rules_at(self, instant: datetime) -> TripRules:
        """By which rules a heartbeat is judged."""
        return TripRules.of(self.rules.get(self.owner_at(instant)))

    def trips(self) -> list[tuple[Any, ...]]:
        """Source, customer, start, end, distance and highest speed of each, by start."""
        reported = [self._reported(begun) for begun in self.begun.values()]
        heard = max(self.readings, default=None)
        derived = [
            one
            for one in self._derived()
            if not any(_overlap(one[2], one[3] or heard, r[2], r[3]) for r in reported)
        ]
        return sorted(reported + derived, key=lambda one: (one[2], one[0], str(one[3])))

    def _derived(self) -> Iterable[tuple[Any, ...]]:
        state = State()
        for instant in sorted(self.readings):
            state, over = step(state, self.readings[instant], self.rules_at(instant))
            for start, end, measured in over:
                yield self._trip("derived", start, end, measured)
        if state.open:
            yield self._trip("derived", state.open.started_at, None, state.open.way.measured())

    def _reported(self, begun: Trip.Created) -> tuple[Any, ...]:
        end = self.ended.get(begun.originator_id)
        if end is None:
            return self._trip("reported", begun.started_at, None, None)
        during = [
            self.readings[instant]
            for instant in sorted(self.readings)
            if begun.started_at <= instant <= end.ended_at
        ]
        return self._trip("reported", begun.started_at, end.ended_at, measure(during))

    def _trip(
        self, source: str, start: datetime, end: datetime | None, measured: Any
    ) -> tuple[Any, ...]:
        known = measured and (measured.distance_km, measured.maximum_speed_kmh)
        return (source, self.owner_at(start), start, end, known)


def _overlap(start: Any, end: Any, other_start: Any, other_end: Any) -> bool:
    return bool(other_start < end and (other_end is None or other_end > start))


def story_of(told: Iterable[tuple[LoggedEvent, Any]], vin: str) -> Story:
    """Take what concerns one vehicle out of all that was told."""
    story = Story()
    stream = Vehicle.create_id(vin)
    for logged, event in told:
        if isinstance(event, HeartbeatRecorded) and event.vin == vin:
            story.readings[event.recorded_at] = Reading.of(event)
        elif isinstance(event, Customer.TripRulesChanged):
            story.rules[event.originator_id] = event.rules
        elif isinstance(event, Trip.Created) and event.vin == vin:
            story.begun[event.originator_id] = event
        elif isinstance(event, Trip.Ended) and event.vin == vin:
            story.ended[event.originator_id] = event
        elif logged.stream == stream and hasattr(event, "customer_id"):
            story.owners.append((event.timestamp, event.customer_id))
    return story


def kept_trips(reader: RelationalTrips, vin: str) -> list[tuple[Any, ...]]:
    """What the read model keeps of a vehicle, as a story tells it."""
    page = reader.find(TripQuery(vin=vin, limit=500), now=LONG_AGO)
    assert page.next_cursor is None
    found = []
    for trip, _, _ in page.items:
        measured = trip.measured
        known = measured and (measured.distance_km, measured.maximum_speed_kmh)
        found.append((trip.source, trip.customer_id, trip.started_at, trip.ended_at, known))
    return sorted(found, key=lambda one: (one[2], one[0], str(one[3])))
