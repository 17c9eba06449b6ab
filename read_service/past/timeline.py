"""A vehicle's timeline: its own events, those of its connection and of its trips, by time.

`at` is when something happened, not when the log heard of it: a trip may be told of a day later,
and late heartbeats mend last week. So the order is made here, of all that may be in the period, and
a page begins where the one before ended, however much came in between.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.trips.model import TripQuery
from read_service.past import happened
from vehicle_tracker.domain.trip import OpenTrip
from vehicle_tracker.domain.values import from_microseconds, to_microseconds, vehicle_stream
from vehicle_tracker.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from projections.trips.model import Trips
    from vehicle_tracker.event_log import EventLog

LONGEST_LIMIT = timedelta(days=30)
"""A vehicle is declared disconnected at most that long after its last heartbeat."""

BEGINNING, END = -(2**61), 2**61
"""Before and after all that a timeline can hold, in microseconds."""


class Place(NamedTuple):
    """Where something is in a timeline: no two things are at the same place.

    Of one instant, what a stream says later is later. `stream` keeps trips apart.
    """

    at: int
    stream: str
    version: int


class Entry(NamedTuple):
    """An event, and its place."""

    place: Place
    event: Any


def page_of(
    entries: Iterable[Entry], before: Place | None, limit: int
) -> tuple[list[Entry], Place | None]:
    """The newest entries before a place, and the place to go on from if there are more."""
    older = sorted(
        (one for one in entries if before is None or one.place < before),
        key=lambda one: one.place,
        reverse=True,
    )
    page = older[:limit]
    return page, page[-1].place if len(older) > limit else None


class Asked(NamedTuple):
    """A vehicle's timeline from `begin` on and before `end`, a page of it before a place."""

    vin: str
    begin: datetime | None
    end: datetime | None
    before: Place | None
    limit: int


def entries(log: EventLog, trips: Trips, asked: Asked, now: datetime) -> list[Entry]:
    """What happened in the period, in no order; maybe some after the page, or before it.

    Trips that follow from heartbeats are as of the read model's position, all else as of the log's.
    """
    vin, before = asked.vin, asked.before
    since = to_microseconds(asked.begin) if asked.begin else BEGINNING
    until = to_microseconds(asked.end) - 1 if asked.end else END
    latest = min(until, before.at) if before else until
    found = [
        *_own(log, vin),
        *_connection(log, vin, since, latest),
        *_reported_trips(log, vin),
        *_derived_trips(trips, asked, now),
    ]
    return [one for one in found if since <= one.place.at <= until]


def _own(log: EventLog, vin: str) -> Iterator[Entry]:
    """All of them: they are few, and a version is no time."""
    for event in log.stream(vehicle_stream(vin)):
        yield _entry(event, "", event.originator_version)


def _connection(log: EventLog, vin: str, since: int, latest: int) -> Iterator[Entry]:
    """Those whose heartbeats are near the period.

    A disconnection is later than its heartbeat, at most by the limit; a mend is earlier.
    """
    begin = max(BEGINNING, since - LONGEST_LIMIT // timedelta(microseconds=1))
    for event in History(log.rows).connection_events(vin, begin, latest):
        yield _entry(event, "connection", event.version)


def _reported_trips(log: EventLog, vin: str) -> Iterator[Entry]:
    """All that were told of: in which order says nothing of when they were."""
    opened = log.stream(OpenTrip.create_id(vin))
    begun = (OpenTrip.Created, OpenTrip.Opened)
    trip_ids = [event.trip_id for event in opened if isinstance(event, begun)]
    for trip_id, events in log.streams(trip_ids).items():
        for event in events:
            yield _entry(event, str(trip_id), event.originator_version)


def _derived_trips(trips: Trips, asked: Asked, now: datetime) -> Iterator[Entry]:
    """Those of the newest trips before the page's end: each is two entries at most.

    They are no events: a late heartbeat may move them between two pages.
    """
    until = _just_after(asked.before.at) if asked.before else asked.end
    query = TripQuery(vin=asked.vin, since=asked.begin, until=until, limit=asked.limit + 2)
    for view in trips.find(query, now).items:
        trip, measured = view.trip, view.trip.measured
        if trip.source == "derived":
            start, end = (measured.start, measured.end) if measured else (None, None)
            id_ = trip.trip_id
            yield _entry(happened.DerivedTripStarted(id_, trip.started_at, start), str(id_), 1)
            if trip.ended_at:
                yield _entry(happened.DerivedTripEnded(id_, trip.ended_at, end), str(id_), 2)


def _just_after(microseconds: int) -> datetime | None:
    try:
        return from_microseconds(microseconds + 1)
    except OverflowError:
        return None


def _entry(event: Any, stream: str, version: int) -> Entry:
    return Entry(Place(to_microseconds(happened.at(event)), stream, version), event)
