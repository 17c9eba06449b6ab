"""What a page of the log says, gathered by vehicle and customer.

Trips need more than one document: a vehicle's heartbeats, the rules of its customers and, where
something came late, what is in the log. So the pure fold of a page only gathers; what is gathered
is folded into what is kept by the store (`store`), in the transaction in which it is stored.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.values import vehicle_stream
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


class Key(NamedTuple):
    """Of what the news are. `id` is text, because a UUID is slow to hash."""

    kind: Literal["vehicle", "customer"]
    id: str


class News(msgspec.Struct, frozen=True):
    """What was said of a vehicle or a customer, in the log's order."""

    heartbeats: tuple[HeartbeatRecorded, ...] = ()
    events: tuple[Aggregate.Event, ...] = ()


def key_of(event: Aggregate.Event | HeartbeatRecorded) -> Key:
    """Of which vehicle, or customer, an event is."""
    if isinstance(event, HeartbeatRecorded | Trip.Created | Trip.Ended):
        return _vehicle_key(event.vin)
    kind: Literal["vehicle", "customer"] = (
        "customer" if isinstance(event, Customer.TripRulesChanged) else "vehicle"
    )
    return Key(kind, str(event.originator_id))


def evolve(news: News | None, event: Aggregate.Event | HeartbeatRecorded) -> News:
    """The news, with one more event if it is one for trips."""
    news = news or News()
    if getattr(event, "TOPIC", None) not in TOPICS:
        return news
    if isinstance(event, HeartbeatRecorded):
        return News((*news.heartbeats, event), news.events)
    return News(news.heartbeats, (*news.events, event))


def before_its_own_events(_: News | None) -> News:
    """Nothing is remembered from page to page."""
    return News()


@lru_cache(maxsize=200_000)
def _vehicle_key(vin: str) -> Key:
    return Key("vehicle", str(vehicle_stream(vin)))
