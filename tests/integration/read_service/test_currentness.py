"""An answer of the read service says how current it is, and waits for what is asked of it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from projections.catalog import CUSTOMER_VEHICLES
from projections.follower import Follower
from read_service import freshness, schemas
from read_service.app import create_app
from read_service.freshness import LOOK_EVERY_S, Freshness
from tests.following import record
from tests.integration.read_service.conftest import NEVER, NOBODY, OTHER_VIN, VIN, expect, problem
from vehicle_tracker.judged_until import JudgedUntil
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings


def test_projections_tell_how_far_they_are(
    read: FlaskClient, fleet: int, register: Callable[..., Any]
) -> None:
    """Position, head, lag and state, live and behind."""
    live, trips = expect(read.get("/api/v1/projections"), schemas.Projections())["items"]
    assert (trips["position"], trips["lag_events"]) == (0, fleet)
    assert (live["position"], live["head"], live["state"]) == (fleet, fleet, "live")
    register(NEVER, "NEW1")
    behind, _ = read.get("/api/v1/projections").json["items"]
    assert (behind["lag_events"], behind["state"]) == (1, "catching_up")
    assert behind["lag_seconds"] > 0


class _Slow:
    """A freshness of which a look takes as long as it is told to."""

    def __init__(self, log: EventLog, position: int) -> None:
        self.begun, self.may_end = Event(), Event()
        self._position = position
        self.may_end.set()
        self.freshness = Freshness(log, [self._at])
        self.before = self.freshness.as_of()

    def _at(self) -> int:
        self.begun.set()
        assert self.may_end.wait(10)
        return self._position

    def look(self) -> None:
        """Return when a look is over that began now."""
        self.begun.clear()
        while not self.begun.is_set():
            self.freshness.as_of()


def test_nobody_waits_while_another_looks(fleet: int, event_log: EventLog) -> None:
    """However long it takes to see how current the models are, only one request waits for it."""
    slow = _Slow(event_log, fleet)
    slow.may_end.clear()
    with ThreadPoolExecutor(1) as another:
        looking = another.submit(slow.look)
        assert slow.begun.wait(10)
        assert slow.freshness.as_of() == slow.before
        slow.may_end.set()
        looking.result()
    assert slow.freshness.as_of() > slow.before


def test_what_was_seen_long_ago_is_told_to_nobody(
    fleet: int, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two who come after a while in which nobody came are both told what is seen now."""
    monkeypatch.setattr(freshness, "LATE_S", 0.0)
    monkeypatch.setattr(freshness, "PATIENCE_S", 20.0)
    slow = _Slow(event_log, fleet)
    slow.may_end.clear()
    with ThreadPoolExecutor(2) as both:
        first = both.submit(slow.look)
        assert slow.begun.wait(10)
        second = both.submit(slow.freshness.as_of)
        assert not wait([second], 0.2).done
        slow.may_end.set()
        first.result()
        assert second.result() > slow.before


def test_a_read_waits_for_the_position_it_asks_for(
    settings: Settings,
    engine: Engine,
    fleet: int,
    register: Callable[..., Any],
    event_log: EventLog,
) -> None:
    """`at_least` answers once the read model is there, for several who wait at once."""
    read = create_app(replace(settings, wait_for_position_s=20)).test_client()
    position = register(NEVER, "NEW1").json["position"]
    answers: list[Any] = []
    waiting = [
        Thread(
            target=lambda: answers.append(
                read.application.test_client().get(f"/api/v1/vehicles?at_least={position}").json
            )
        )
        for _ in range(4)
    ]
    for thread in waiting:
        thread.start()
    stop = Event()
    follower = Thread(target=Follower(CUSTOMER_VEHICLES, event_log, engine, 100).run, args=(stop,))
    follower.start()
    for thread in [*waiting]:
        thread.join(30)
    stop.set()
    follower.join(10)
    assert [(one["total"], one["position"]) for one in answers] == [(3, position)] * 4


WAITING = [
    "vehicles",
    f"vehicles/{VIN}",
    f"vehicles/{VIN}/heartbeats",
    "customers",
    f"customers/{NOBODY}",
    f"customers/{NOBODY}/vehicles",
    "projections",
]


def test_a_position_that_is_not_reached_is_a_503(read: FlaskClient, fleet: int) -> None:
    """Rather no answer than an old one: `read_model_behind`, and when to come again."""
    for path in WAITING:
        began = time.monotonic()
        answer = read.get(f"/api/v1/{path}?at_least={fleet + 1}")
        problem(answer, 503, "read_model_behind")
        assert answer.headers["Retry-After"] == "1"
        assert time.monotonic() - began < 5


def test_a_follower_that_stands_still_makes_nobody_silent(
    read: FlaskClient, event_log: EventLog, fleet: int, follow: Callable[[], int]
) -> None:
    """Behind the log, statuses are as of what was folded last, and the answer says as of when."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    record(event_log, OTHER_VIN, hour_ago)
    follow()
    waiting = hour_ago + timedelta(minutes=1)
    record(event_log, OTHER_VIN, waiting)
    (behind,) = read.get(f"/api/v1/vehicles?q={OTHER_VIN}").json["items"]
    answer = read.get(f"/api/v1/vehicles/{OTHER_VIN}").json
    assert answer["as_of"] == rfc3339(waiting)
    assert answer["status"] == behind["status"] == "connected"
    follow()
    time.sleep(LOOK_EVERY_S)
    answer = read.get(f"/api/v1/vehicles/{OTHER_VIN}").json
    assert answer["status"] == "disconnected"
    assert datetime.fromisoformat(answer["as_of"]) > hour_ago + timedelta(minutes=59)
    assert answer["answered_at"] >= answer["as_of"]


def test_heartbeats_that_wait_for_the_tracker_make_nobody_silent(
    read: FlaskClient, event_log: EventLog, database_url: str, follow: Callable[[], int], fleet: int
) -> None:
    """While nearly all of them arrive late, statuses are as of as far as they are heard."""
    now = datetime.now(UTC)
    late = timedelta(minutes=5)
    record(event_log, OTHER_VIN, now - late)
    follow()
    assert read.get(f"/api/v1/vehicles/{OTHER_VIN}").json["status"] == "disconnected"
    with psycopg.connect(database_url, autocommit=True) as connection:
        JudgedUntil(connection).keep(fleet, now - late, late)
    time.sleep(LOOK_EVERY_S)
    answer = read.get(f"/api/v1/vehicles/{OTHER_VIN}").json
    assert answer["status"] == "connected"
    told = datetime.fromisoformat(answer["answered_at"]) - datetime.fromisoformat(answer["as_of"])
    assert late <= told < late + timedelta(seconds=1)
