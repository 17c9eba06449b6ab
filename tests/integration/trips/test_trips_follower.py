"""The trips' follower on a real PostgreSQL: what it keeps is what the whole log says."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.domain import Aggregate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier
from sqlalchemy import func, update

from projections.catalog import TRIPS, trips
from projections.database import projection
from projections.follower import Follower
from projections.trips import memory
from projections.trips import vehicle as followed_vehicle
from projections.trips.reader import RelationalTrips
from tests.following import NOW, heartbeat_row
from tests.trip_truth import kept_trips, story_of
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Engine

_numbers = itertools.count()
MINUTE = timedelta(minutes=1)


def _minute(number: float) -> datetime:
    return NOW + number * MINUTE


@contextmanager
def _at(instant: datetime) -> Iterator[None]:
    """Let what is decided be decided at an instant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Aggregate.Event, "create_timestamp", staticmethod(lambda: instant))
        yield


class Scene:
    """A vehicle, its two customers, and the follower of its trips."""

    def __init__(self, log: EventLog, engine: Engine, page: int = 1_000) -> None:
        self.log = log
        self.engine = engine
        self.vin = f"YS2R4X2{next(_numbers):010}"
        self.trip: Trip | None = None
        self.began = log.head()
        with _at(_minute(0)):
            self.customers = [Customer(name=f"K{uuid4()}", address="Väg 1") for _ in range(2)]
            self.vehicle = Vehicle(
                vin=self.vin,
                registration_number="ABC123",
                customer_id=self.customers[0].id,
                labels={},
            )
        log.save(*self.customers, self.vehicle)
        self.page = page
        self.restart()
        self.reader = RelationalTrips(engine, TRIPS, TRIPS)

    def heartbeats(self, said: Mapping[int, Mapping[str, Any]]) -> None:
        """Say something at these minutes, unless something was said of them before."""
        rows = [heartbeat_row(self.vin, _minute(minute), **one) for minute, one in said.items()]
        with self.log.writing() as writing:
            writing.insert(rows)

    def drive(self, first: int, minutes: int, **said: Any) -> None:
        """Drive from a minute on."""
        span = range(first, first + minutes)
        self.heartbeats({m: {"speed_kmh": 60.0, "odometer_km": float(m), **said} for m in span})

    def stand(self, first: int, minutes: int) -> None:
        """Stand from a minute on."""
        self.heartbeats({m: {"speed_kmh": 0.0} for m in range(first, first + minutes)})

    def move(self, minute: int) -> None:
        """Let it belong to the other customer from that minute on."""
        owner = next(c for c in self.customers if c.id != self.vehicle.customer_id)
        with _at(_minute(minute)):
            self.vehicle.move_to_customer(owner.id)
        self.log.save(self.vehicle)

    def rule(self, which: int, rules: dict[str, float] | None) -> None:
        """Give a customer other rules."""
        self.customers[which].change_trip_rules(rules)
        self.log.save(self.customers[which])

    def begin(self, minute: int, driver: str | None = None) -> None:
        """Report a trip, unless one is open."""
        if self.trip is None:
            nothing = dict.fromkeys(("latitude", "longitude", "odometer_km"))
            started_at = _minute(minute)
            self.trip = Trip(vin=self.vin, started_at=started_at, driver=driver, **nothing)
            self.log.save(self.trip)

    def end(self, after: int) -> None:
        """Report the end of the open trip."""
        if self.trip is not None:
            self.trip.end(self.vin, self.trip.started_at + after * MINUTE, None, None, None)
            self.log.save(self.trip)
            self.trip = None

    def follow(self, pages: int | None = None) -> None:
        """Fold so many pages, or all there are."""
        for _ in itertools.count() if pages is None else range(pages):
            if not self.follower.catch_up():
                return

    def restart(self) -> None:
        """Have another follower go on, which remembers nothing."""
        self.follower = Follower(trips(self.log), self.log, self.engine, self.page)

    def shown(self) -> list[tuple[Any, ...]]:
        """What is kept, as the slow truth tells it."""
        return kept_trips(self.reader, self.vin)

    def expect_the_truth(self) -> list[tuple[Any, ...]]:
        """See that what is kept is what the log says; answer it."""
        shown = self.shown()
        rows = self.log.read(self.began, 1_000_000)
        told = ((logged, self.log.event(logged)) for logged in rows)
        assert shown == story_of(told, self.vin).trips()
        return shown


@pytest.fixture
def event_log(database_url: str) -> Iterator[EventLog]:
    """An empty event log, quick rather than durable."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = Identifier(connection.info.dbname)
        connection.execute(SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    with EventLog(database_url) as log:
        yield log


@pytest.fixture
def scene(event_log: EventLog, engine: Engine) -> Scene:
    """A vehicle that has not been heard of."""
    return Scene(event_log, engine)


_minutes = st.integers(0, 60)
_said = st.fixed_dictionaries(
    {},
    optional={
        "speed_kmh": st.sampled_from([0.0, 10.0, 60.0]),
        "ignition": st.booleans(),
        "odometer_km": st.integers(0, 60).map(float),
        "latitude": st.sampled_from([59.0, 59.01, 59.02]),
    },
).map(lambda said: said | ({"longitude": 18.0} if "latitude" in said else {}))
_rules = st.none() | st.fixed_dictionaries(
    {}, optional={"stop_after_s": st.sampled_from([60, 600]), "shortest_km": st.sampled_from([0])}
)
_steps = st.one_of(
    st.tuples(st.just("heartbeats"), st.dictionaries(_minutes, _said, min_size=1, max_size=3)),
    st.tuples(st.just("drive"), _minutes, st.integers(1, 20)),
    st.tuples(st.just("stand"), _minutes, st.integers(1, 20)),
    st.tuples(st.just("move"), _minutes),
    st.tuples(st.just("rule"), st.integers(0, 1), _rules),
    st.tuples(st.just("begin"), _minutes),
    st.tuples(st.just("end"), st.integers(0, 30)),
    st.tuples(st.just("follow"), st.integers(1, 3)),
    st.tuples(st.just("again"), st.integers(1, 20)),
    st.tuples(st.just("restart")),
)


def _again(scene: Scene, events: int) -> None:
    """Have the last events delivered once more, or all if there are fewer."""
    back = update(projection).where(projection.c.name == TRIPS)
    before = func.greatest(projection.c.position - events, 0)
    with scene.engine.begin() as connection:
        connection.execute(back.values(position=before))


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(_steps, max_size=25),
    page=st.sampled_from([1, 7, 1_000]),
    every=st.integers(2, 9),
    written_every=st.integers(1, 9),
    most_known=st.sampled_from([0, 1_000]),
)
def test_what_is_kept_is_what_the_log_says(
    event_log: EventLog,
    engine: Engine,
    steps: list[Any],
    page: int,
    every: int,
    written_every: int,
    most_known: int,
) -> None:
    """Late, repeated, in any order, under rules and owners that change: trips are the log's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(followed_vehicle, "CHECKPOINT_EVERY", every)
        patch.setattr(followed_vehicle, "WRITTEN_EVERY", written_every)
        patch.setattr(memory, "MOST_KNOWN", most_known)
        scene = Scene(event_log, engine, page)
        for name, *given in steps:
            if name == "again":
                scene.follow()
                _again(scene, given[0])
            else:
                getattr(scene, name)(*given)
        scene.follow()
        scene.expect_the_truth()


def test_a_late_heartbeat_splits_a_trip(scene: Scene) -> None:
    """What was one trip are two, once it is heard that the vehicle stood in between."""
    scene.drive(0, 10)
    scene.drive(20, 10)
    scene.stand(30, 10)
    scene.follow()
    before = scene.expect_the_truth()
    scene.stand(10, 10)
    scene.follow()
    after = scene.expect_the_truth()
    assert [(one[2], one[3]) for one in before] == [(_minute(0), _minute(30))]
    assert [one[3] for one in after] == [_minute(10), _minute(30)]


def test_other_rules_hold_for_the_past_too(scene: Scene) -> None:
    """Who stood for three minutes has ended its trip once its customer says that two are enough."""
    scene.drive(0, 10)
    scene.stand(10, 4)
    scene.drive(14, 10)
    scene.stand(24, 10)
    scene.follow()
    assert len(scene.expect_the_truth()) == 1
    scene.rule(0, {"stop_after_s": 120})
    scene.follow()
    assert len(scene.expect_the_truth()) == 2
    scene.rule(0, None)
    scene.follow()
    assert len(scene.expect_the_truth()) == 1


def test_a_trip_is_whose_the_vehicle_was_when_it_began(scene: Scene) -> None:
    """Moved to another customer under way; later trips are the other's."""
    scene.drive(0, 10)
    scene.move(5)
    scene.stand(10, 10)
    scene.drive(20, 10)
    scene.follow()
    owners = [one[1] for one in scene.expect_the_truth()]
    assert owners == [customer.id for customer in scene.customers]


def test_a_derived_trip_gives_way_to_a_reported_one(scene: Scene) -> None:
    """It is not shown while they overlap, and shown when they do not."""
    scene.drive(0, 10)
    scene.stand(10, 10)
    scene.begin(5)
    scene.follow()
    assert [one[0] for one in scene.expect_the_truth()] == ["reported"]
    scene.drive(40, 10)
    scene.follow()
    assert [one[0] for one in scene.expect_the_truth()] == ["reported"]
    scene.end(after=10)
    scene.follow()
    assert [one[0] for one in scene.expect_the_truth()] == ["reported", "derived"]
