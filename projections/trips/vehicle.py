"""What is remembered of a vehicle for its derived trips, and the fold of its heartbeats. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID
from zlib import crc32

import msgspec
from eventsourcing.domain import Aggregate
from msgspec.structs import replace

from projections.trips.derivation import DerivedTrip, State, step
from projections.trips.rules import TripRules
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from projections.trips.measure import Reading
    from projections.trips.news import News

BEGINNING = datetime.min.replace(tzinfo=UTC)

DEFAULT = TripRules()

CHECKPOINT_EVERY = 500
"""After so many heartbeats the state is kept: what comes late is folded again from there on."""

WRITTEN_EVERY = 10
"""After so many heartbeats at the latest its row is written: what is not in it is in the log."""


class Belonging(NamedTuple):
    """Since when the vehicle is whose."""

    since: datetime
    customer_id: UUID


class Followed(msgspec.Struct, frozen=True, gc=False):
    """A vehicle whose heartbeats are followed.

    `belongings` are by the version of the event that says so: however often and in whichever order
    they are told, they are the same.
    """

    vin: str
    belongings: dict[int, Belonging] = {}
    reported_until: datetime | None = None
    """Until when it is known that a reported trip went: a heartbeat before may belong to it."""

    state: State = State()
    since_checkpoint: int = 0

    @property
    def heard_until(self) -> datetime | None:
        """The newest heartbeat."""
        return self.state.last.recorded_at if self.state.last else None

    @property
    def owners(self) -> list[Belonging]:
        """To whom it belonged, one after the other."""
        return [self.belongings[version] for version in sorted(self.belongings)]

    @property
    def customer_ids(self) -> set[UUID]:
        """To whom it ever belonged."""
        return {one.customer_id for one in self.belongings.values()}

    def customer_at(self, instant: datetime) -> UUID | None:
        """Whose it was then: before it was registered, whose it was first."""
        if len(self.belongings) == 1:  # almost always
            (only,) = self.belongings.values()
            return only.customer_id
        owners = self.owners
        if not owners:
            return None
        known = [one.customer_id for one in owners if one.since <= instant]
        return known[-1] if known else owners[0].customer_id

    def belongs_to_since(self, customer_id: UUID) -> datetime:
        """From when on that customer's rules may matter to it."""
        owners = self.owners
        if owners[0].customer_id == customer_id:
            return BEGINNING
        return min(one.since for one in owners if one.customer_id == customer_id)


class Known(NamedTuple):
    """A trip that is over, and the heartbeat by which that was known."""

    trip: DerivedTrip
    known_at: datetime


class Folded(msgspec.Struct, frozen=True, gc=False):
    """What came of some heartbeats."""

    vehicle: Followed
    finished: list[Known]
    checkpoints: list[State]

    def then(self, other: Folded) -> Folded:
        """What came of them and of those after them."""
        finished = self.finished + other.finished
        return Folded(other.vehicle, finished, self.checkpoints + other.checkpoints)


def told_all(kept: Followed | None, news: News) -> Followed:
    """The vehicle after its own events and its trips'; what it recorded is folded by `fold`.

    News of a vehicle that was never registered, nor heard of, raise `LookupError`.
    """
    vehicle = Followed(vin_of(news)) if kept is None else kept
    for event in news.events:
        vehicle = _told(vehicle, event)
    return vehicle


def vin_of(news: News) -> str:
    """The VIN of the vehicle, if one of its news says it; else `LookupError`."""
    for event in (*news.heartbeats, *news.events):
        if isinstance(event, HeartbeatRecorded | Vehicle.Created | Trip.Created | Trip.Ended):
            return event.vin
    raise LookupError(f"a vehicle that was never registered: {news.events!r}")


def _told(vehicle: Followed, event: Aggregate.Event) -> Followed:
    if isinstance(event, Trip.Created):
        return vehicle
    if isinstance(event, Trip.Ended):
        until = max(filter(None, (vehicle.reported_until, event.ended_at)))
        return replace(vehicle, reported_until=until)
    if not isinstance(event, Vehicle.Created | Vehicle.MovedToCustomer | Vehicle.Recommissioned):
        raise TypeError(f"no event of a vehicle: {event!r}")
    belonging = Belonging(event.timestamp, event.customer_id)
    return replace(vehicle, belongings={**vehicle.belongings, event.originator_version: belonging})


def stale_since(
    kept: Followed | None,
    vehicle: Followed,
    readings: Sequence[Reading],
    changed_rules: AbstractSet[UUID],
) -> datetime | None:
    """From when on its heartbeats must be folded again; None: what came goes on from what is kept.

    They must if one comes late, if it belonged to another customer than was thought, or if one
    of its customers has other rules now.
    """
    heard = vehicle.heard_until
    if kept is None or heard is None:
        return None
    if vehicle is kept and not changed_rules:  # almost always
        return readings[0].recorded_at if readings and readings[0].recorded_at <= heard else None
    since = [vehicle.belongs_to_since(one) for one in vehicle.customer_ids & changed_rules]
    since += owned_otherwise_since(kept, vehicle)
    since += [reading.recorded_at for reading in readings[:1]]
    return min((one for one in since if one <= heard), default=None)


def owned_otherwise_since(kept: Followed, vehicle: Followed) -> list[datetime]:
    """From when on it belonged to another customer than was thought, if it ever did."""
    changed = dict(vehicle.belongings.items() - kept.belongings.items())
    if not changed:
        return []
    if min(changed) == min(vehicle.belongings):
        return [BEGINNING]
    return [min(one.since for one in changed.values())]


def is_to_be_written(kept: Followed, vehicle: Followed) -> bool:
    """Whether its row must be written, though heartbeats in their order are all that is new.

    Readers ask for the state of a vehicle that is on a trip. Of one that is not nothing is asked,
    so a few of its heartbeats may be missing in its row; fleets that began in the same minute are
    written in turn.
    """
    turn = crc32(vehicle.vin.encode())
    before, now = kept.since_checkpoint + turn, vehicle.since_checkpoint + turn
    return vehicle.state.open is not None or before // WRITTEN_EVERY != now // WRITTEN_EVERY


def fold(vehicle: Followed, readings: Iterable[Reading], rules: Mapping[UUID, TripRules]) -> Folded:
    """What comes of a vehicle's next heartbeats, in their order, each newer than the one before.

    Each is judged by the rules of the customer that it belonged to then.
    """
    finished: list[Known] = []
    checkpoints: list[State] = []
    state, count = vehicle.state, vehicle.since_checkpoint
    judged_by = _Judges(vehicle, rules)
    for reading in readings:
        state, ended = step(state, reading, judged_by.at(reading.recorded_at))
        if ended:
            finished += [Known(trip, reading.recorded_at) for trip in ended]
        count += 1
        if count == CHECKPOINT_EVERY:
            checkpoints.append(state)
            count = 0
    went_on = Followed(vehicle.vin, vehicle.belongings, vehicle.reported_until, state, count)
    return Folded(went_on, finished, checkpoints)


class _Judges:
    """The rules at an instant; most vehicles have only ever belonged to one customer."""

    def __init__(self, vehicle: Followed, rules: Mapping[UUID, TripRules]) -> None:
        self._vehicle = vehicle
        self._rules = rules
        self._only: TripRules | None = None
        if not rules:
            self._only = DEFAULT
        elif len(vehicle.belongings) <= 1:
            self._only = self._of(vehicle.customer_at(BEGINNING))

    def at(self, instant: datetime) -> TripRules:
        return self._only or self._of(self._vehicle.customer_at(instant))

    def _of(self, customer_id: UUID | None) -> TripRules:
        return self._rules.get(customer_id, DEFAULT) if customer_id else DEFAULT
