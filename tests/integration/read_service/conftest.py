"""A read service over a real log and a real read model of two vehicles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from projections.catalog import CUSTOMER_VEHICLES
from projections.database import db
from projections.follower import Follower
from read_service.app import create_app
from tests.following import to_the_end
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN, OTHER_VIN = "YS2R4X20005399401", "VLUR4X20009093588"
NEVER = "WVWZZZ1JZXW000001"
NOBODY = UUID(int=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Little patience with positions that never come."""
    return replace(settings, wait_for_position_s=0.2)


@pytest.fixture
def follow(event_log: EventLog, engine: Engine) -> Callable[[], int]:
    """Folds what is in the log; answers its head."""

    def follow() -> int:
        follower = Follower(CUSTOMER_VEHICLES, event_log, engine, page=1_000)
        to_the_end(follower)
        return event_log.head()

    return follow


@pytest.fixture
def app(settings: Settings, engine: Engine) -> Iterator[Flask]:
    """The read service."""
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def read(app: Flask) -> FlaskClient:
    """A client of the read service."""
    return app.test_client()


@pytest.fixture
def fleet(
    write_client: FlaskClient,
    register: Callable[..., Any],
    follow: Callable[[], int],
) -> int:
    """Two vehicles, one with three heartbeats of the last minutes; answers the position."""
    register(VIN, "ABC 123", labels={"depå": "Umeå"})
    register(OTHER_VIN, "DEF456")
    now = datetime.now(UTC)
    for minutes in (1, 3, 2):
        said = {"recorded_at": rfc3339(now - timedelta(minutes=minutes)), "speed_kmh": minutes}
        place = {"latitude": 59.2, "longitude": 17.6} if minutes == 3 else {}
        write_client.post(f"/api/v1/vehicles/{VIN}/heartbeats", json=said | place)
    return follow()


def expect(answer: Any, schema: Any) -> Any:
    """The body of a 200 that is what its schema says, no more and no less."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/json"
    schema.load(answer.json)
    return answer.json


def problem(answer: Any, status: int, code: str) -> Any:
    """The problem document of an answer that has this status and code."""
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["code"] == code
    return answer.json
