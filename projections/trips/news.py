"""What a page of the log says, gathered by vehicle and customer.

Trips need more than one document: a vehicle's heartbeats, the rules of its customers and, where
something came late, what is in the log. So the pure fold of a page only gathers; what is gathered
is folded into what is kept by the store (`store`), in the transaction in which it is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from eventsourcing.domain import Aggregate

TOPICS = frozenset(
    {
        HeartbeatRecorded.TOPIC,
        Vehicle.Created.TOPIC,
        Vehicle.MovedToCustomer.TOPIC,
        Vehicle.Recommissioned.TOPIC,
        Customer.TripRulesChanged.TOPIC,
        Trip.Created.TOPIC,
        Trip.Ended.TOPIC,
    }
)
"""What trips are made of; every other event is not for them."""


class ById(NamedTuple):
    """A vehicle or a customer that is named by its id."""

    kind: Literal["vehicle", "customer"]
    id: str


Key = str | ById
"""Of what the news are: a VIN, or what is named by its id.

A vehicle's own events do not all say its VIN; and to make an id of each heartbeat's VIN would take
longer than to fold it.
"""


class News(msgspec.Struct, frozen=True, gc=False):
    """What was said of a vehicle or a customer, in the log's order."""

    heartbeats: tuple[HeartbeatRecorded, ...] = ()
    events: tuple[Aggregate.Event, ...] = ()

    def and_then(self, other: News) -> News:
        """All of both."""
        return News(self.heartbeats + other.heartbeats, self.events + other.events)


_NOTHING = News()


def key_of(event: Aggregate.Event | HeartbeatRecorded) -> Key:
    """Of which vehicle, or customer, an event is."""
    if isinstance(event, HeartbeatRecorded | Trip.Created | Trip.Ended):
        return event.vin
    kind: Literal["vehicle", "customer"] = (
        "customer" if isinstance(event, Customer.TripRulesChanged) else "vehicle"
    )
    return ById(kind, str(event.originator_id))


def evolve(news: News | None, event: Aggregate.Event | HeartbeatRecorded) -> News:
    """The news, with one more event if it is one for trips."""
    if news is None:
        news = _NOTHING
    if isinstance(event, HeartbeatRecorded):
        return News((*news.heartbeats, event), news.events)
    if getattr(event, "TOPIC", None) not in TOPICS:
        return news
    return News(news.heartbeats, (*news.events, event))


def before_its_own_events(_: News | None) -> News:
    """Nothing is remembered from page to page."""
    return News()
