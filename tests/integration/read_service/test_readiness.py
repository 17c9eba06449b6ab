"""The read service says whether it can answer, and what."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from read_service.app import create_app
from tests.integration.read_service.conftest import problem

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from vehicle_tracker.settings import Settings


def test_without_its_database_it_says_so(
    settings: Settings, database_url: str, postgresql_url: str
) -> None:
    """Not migrated or gone: 503 with `Retry-After`, not ready, but alive."""
    name = f"gone_{uuid4().hex}"
    host = conninfo_to_dict(postgresql_url)["host"]
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        url = f"postgresql://postgres:@/{name}?host={host}"
        read = create_app(replace(settings, database_url=url)).test_client()
        not_migrated = read.get("/api/v1/vehicles")
        assert "migration None" in read.get("/health/ready").json["failing"]["read_model"]
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    for answer in (not_migrated, read.get("/api/v1/vehicles"), read.get("/search")):
        problem(answer, 503, "read_model_unavailable")
        assert answer.headers["Retry-After"]
    ready = read.get("/health/ready")
    assert ready.status_code == 503
    assert list(ready.json["failing"]) == ["read_model"]
    assert read.get("/health/live").status_code == 200


def test_it_is_ready_and_documented(read: FlaskClient, fleet: int) -> None:
    """Ready with all its parts; the documentation names every route and problem."""
    assert read.get("/health/ready").json == {"ok": ["event_log", "read_model"], "failing": {}}
    document = json.loads(read.get("/openapi.json").data)
    assert document["openapi"] == "3.1.0"
    for path, methods in document["paths"].items():
        described = methods["get"]["responses"]
        assert "200" in described, path
        assert path == "/search/ping" or "503" in described, path
