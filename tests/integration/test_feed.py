"""The feed inside one process: how many may listen, and what they hear when nothing comes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections.database import db
from read_service.app import create_app
from read_service.live import feed, listener
from tests.following import VINS, catch_up, record
from vehicle_tracker.domain.values import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings


@pytest.fixture
def app(settings: Settings, event_log: EventLog, engine: Engine, fleet: Any) -> Iterator[Flask]:
    """The read service over a fleet, with nobody following the log any more."""
    assert fleet
    catch_up(event_log, engine)
    app = create_app(settings)
    yield app
    app.extensions["feed"].close()
    with app.app_context():
        db.engine.dispose()


def test_who_is_shown_the_past_is_told(app: Flask, event_log: EventLog) -> None:
    """A read model that stands still says nothing of vehicles; so it is said since when."""
    began = utc_now() - timedelta(minutes=1)
    record(event_log, VINS[0], began)
    with app.test_client().get("/api/v1/stream") as answer:
        assert next(answer.response).startswith(b"retry: 1000\nid: ")
        name, data, *_ = next(answer.response).split(b"\n")
    assert name == b"event: behind"
    assert json.loads(data.removeprefix(b"data: "))["as_of"][:19] == began.isoformat()[:19]


def test_where_nothing_happens_a_comment_is_sent(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It carries the id to go on from, so that a quiet stream does not fall behind."""
    monkeypatch.setattr(listener, "KEEP_ALIVE_S", 0.01)
    with app.test_client().get("/api/v1/stream?status=never_seen") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Accel-Buffering"] == "no"
        first, comment = next(answer.response), next(answer.response)
    assert comment == b":\n" + first.removeprefix(b"retry: 1000\n")


def test_only_so_many_may_listen(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is told to come again, and has a place once somebody has left."""
    monkeypatch.setattr(feed, "STREAMS_AT_ONCE", 1)
    client = app.test_client()
    with client.get("/api/v1/stream"):
        refused = client.get("/api/v1/stream")
        assert (refused.status_code, refused.json["code"]) == (503, "too_many_streams")
        assert refused.headers["Retry-After"] == "5"
    with client.get("/api/v1/stream") as answer:
        assert answer.status_code == 200


def test_a_feed_that_ends_lets_nobody_in(app: Flask) -> None:
    """Who listens comes to an end, who comes is sent elsewhere."""
    client = app.test_client()
    with client.get("/api/v1/stream") as answer:
        app.extensions["feed"].close()
        assert len(list(answer.response)) == 1
    refused = client.get("/api/v1/stream")
    assert (refused.status_code, refused.json["code"]) == (503, "stopping")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("vin=ABC", "vin.0"),
        ("&".join(["vin=YS2R4X20005399401"] * 501), "vin"),
        ("counts=perhaps", "counts"),
        ("status=lost", "status.0"),
        ("bbox=1,2", "bbox"),
        ("limit=5", "limit"),
        ("sort=vin", "sort"),
        ("after=x", "after"),
    ],
)
def test_a_bad_question_is_named(app: Flask, query: str, field: str) -> None:
    """422 that says which parameter is wrong, before anything is streamed."""
    answer = app.test_client().get(f"/api/v1/stream?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
