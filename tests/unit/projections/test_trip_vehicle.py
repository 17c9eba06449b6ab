"""What is remembered of a vehicle: whose it was when, what goes on, and what is stale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from projections.trips import news
from projections.trips.measure import Reading
from projections.trips.news import ById, News
from projections.trips.rules import TripRules
from projections.trips.vehicle import (
    BEGINNING,
    CHECKPOINT_EVERY,
    Belonging,
    Followed,
    fold,
    stale_since,
    told_all,
)
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.vehicle import Vehicle

VIN = "YS2R4X20005399401"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIRST, SECOND = uuid4(), uuid4()
OWNED = {1: Belonging(NOW, FIRST), 2: Belonging(NOW + 10 * MINUTE, SECOND)}
DEFAULT: dict[UUID, TripRules] = {}


def reading(minute: float, speed_kmh: float = 60.0) -> Reading:
    return Reading(NOW + minute * MINUTE, speed_kmh=speed_kmh, odometer_km=minute)


def heard(*minutes: float, **more: Any) -> Followed:
    """A vehicle that was heard in these minutes."""
    return fold(Followed(VIN, **more), [reading(one) for one in minutes], DEFAULT).vehicle


def test_whose_it_was() -> None:
    """The last owner whose time had begun; before it was registered, the first."""
    vehicle = Followed(VIN, OWNED)
    asked = (-1, 0, 9, 10, 99)
    owners = [vehicle.customer_at(NOW + minute * MINUTE) for minute in asked]
    assert owners == [FIRST, FIRST, FIRST, SECOND, SECOND]
    assert Followed(VIN).customer_at(NOW) is None
    assert vehicle.belongs_to_since(FIRST) == BEGINNING
    assert vehicle.belongs_to_since(SECOND) == NOW + 10 * MINUTE


def test_owners_are_told_in_any_order_and_again() -> None:
    """Each event of the vehicle says all it has to say, whenever it comes."""
    aggregate = Vehicle(vin=VIN, registration_number="A", customer_id=FIRST, labels={})
    aggregate.move_to_customer(SECOND)
    created, moved = aggregate.collect_events()
    once = told_all(None, News(events=(created, moved)))
    assert told_all(told_all(None, News(events=(created,))), News(events=(moved, created))) == once
    assert [one.customer_id for one in once.owners] == [FIRST, SECOND]


def test_news_of_a_vehicle_that_was_never_registered() -> None:
    """Its move is an error, to be parked; its heartbeat is not."""
    aggregate = Vehicle(vin=VIN, registration_number="A", customer_id=FIRST, labels={})
    aggregate.move_to_customer(SECOND)
    with pytest.raises(LookupError, match="never registered"):
        told_all(None, News(events=(aggregate.collect_events()[1],)))
    heartbeat = HeartbeatRecorded(NOW, Heartbeat(vin=VIN))
    assert told_all(None, News(heartbeats=(heartbeat,))) == Followed(VIN)


@pytest.mark.parametrize(
    ("minute", "stale"), [(5.5, None), (5, NOW + 5 * MINUTE), (-3, NOW - 3 * MINUTE)]
)
def test_a_late_heartbeat_makes_stale(minute: float, stale: datetime | None) -> None:
    """From its own time on; one that is newer than all before goes on from what is kept."""
    kept = heard(0, 5)
    assert stale_since(kept, kept, [reading(minute)], set()) == stale


def test_other_rules_make_stale() -> None:
    """From when on the vehicle belonged to that customer; not if it never did."""
    kept = heard(0, 20, belongings=OWNED)
    assert stale_since(kept, kept, [], {FIRST}) == BEGINNING
    assert stale_since(kept, kept, [], {SECOND}) == NOW + 10 * MINUTE
    assert stale_since(kept, kept, [], {uuid4()}) is None


def test_another_owner_makes_stale() -> None:
    """From when on it was another's than was thought, if it was heard since."""
    before = heard(0, 20, belongings={1: OWNED[1]})
    after = msgspec.structs.replace(before, belongings=OWNED)
    assert stale_since(before, after, [], set()) == NOW + 10 * MINUTE
    quiet = heard(0, 9, belongings={1: OWNED[1]})
    after = msgspec.structs.replace(quiet, belongings=OWNED)
    assert stale_since(quiet, after, [], set()) is None


def test_each_heartbeat_is_judged_by_its_own_customers_rules() -> None:
    """With the second customer two minutes of standing end a trip."""
    readings = [reading(n, 0.0 if n % 10 in (7, 8, 9) else 60.0) for n in range(20)]
    rules = {SECOND: TripRules(stop_after_s=120)}
    folded = fold(Followed(VIN, OWNED), readings, rules)
    assert [known.trip.ended_at for known in folded.finished] == [NOW + 17 * MINUTE]
    assert folded.finished[0].known_at == NOW + 19 * MINUTE


def test_what_is_kept_goes_on_as_if_it_had_never_stopped() -> None:
    """Folded in two parts, with what is kept as JSON in between, it is the same."""
    readings = [
        reading(n / 10, 0.0 if n % 200 > 100 else 60.0) for n in range(CHECKPOINT_EVERY + 5)
    ]
    whole = fold(Followed(VIN), readings, DEFAULT)
    first = fold(Followed(VIN), readings[:333], DEFAULT)
    kept = msgspec.json.decode(msgspec.json.encode(first.vehicle), type=Followed)
    assert first.then(fold(kept, readings[333:], DEFAULT)) == whole
    (checkpoint,) = whole.checkpoints
    assert checkpoint.last == readings[CHECKPOINT_EVERY - 1]


def test_a_page_is_gathered_by_vehicle_and_customer() -> None:
    """Heartbeats and events in the log's order; what is not for trips is left out."""
    customer = Customer(name="K", address="V")
    customer.change_trip_rules({"stop_after_s": 120})
    created, changed = customer.collect_events()
    assert news.key_of(changed) == ById("customer", str(customer.id))
    heartbeat = HeartbeatRecorded(NOW, Heartbeat(vin=VIN))
    assert news.key_of(heartbeat) == VIN
    gathered = news.evolve(news.evolve(None, heartbeat), heartbeat)
    assert gathered == News(heartbeats=(heartbeat, heartbeat))
    assert news.evolve(news.evolve(None, created), changed) == News(events=(changed,))
