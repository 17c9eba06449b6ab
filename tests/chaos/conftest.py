"""A PostgreSQL for each module, so that it can be killed; a deployment on it for each test."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from embedded.elasticsearch import CACHE
from simulator.dice import dice as dice_of
from tests.chaos.database import Database
from tests.chaos.deployment import Deployment
from tests.chaos.faulty_proxy import FaultyProxy
from tests.chaos.searching import Searching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from vehicle_tracker.settings import Settings

SEED = os.environ.get("CHAOS_SEED", "1")
"""What is chosen is repeated with the same seed; when threads meet is not."""


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """A running PostgreSQL that a test may kill."""
    with tempfile.TemporaryDirectory(prefix="vt-", ignore_cleanup_errors=True) as folder:
        server = Database(Path(folder))
        server.start()
        yield server
        server.end()


@pytest.fixture
def database_url(database: Database) -> str:
    """The address of an empty database on it; it goes with the server."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return database.url.replace("/postgres?", f"/{name}?")


@pytest.fixture
def deploy(
    database: Database, settings: Settings, tmp_path: Path
) -> Iterator[Callable[..., Deployment]]:
    """Starts the tracker on the test's database."""
    deployed: list[Deployment] = []
    where = {"EVENT_LOG_URL": settings.event_log_url, "DATABASE_URL": settings.database_url}

    def deploy(elasticsearch_url: str = "", **how: Any) -> Deployment:
        environment = {**where, "ELASTICSEARCH_URL": elasticsearch_url}
        deployed.append(Deployment(database, environment, tmp_path, **how))
        deployed[-1].start()
        return deployed[-1]

    yield deploy
    for deployment in deployed:
        deployment.end()


@pytest.fixture(scope="module")
def elasticsearch() -> Iterator[Searching]:
    """A running Elasticsearch that a test may kill."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=CACHE, prefix="chaos-", ignore_cleanup_errors=True
    ) as folder:
        server = Searching(Path(folder) / "es")
        server.start()
        yield server
        server.kill()


@pytest.fixture
def proxy(elasticsearch: Searching) -> Iterator[FaultyProxy]:
    """What stands between the tracker and Elasticsearch."""
    elasticsearch.forget()
    proxy = FaultyProxy(elasticsearch.url)
    proxy.start()
    yield proxy
    proxy.end()


@pytest.fixture
def searched(settings: Settings, elasticsearch: Searching) -> Settings:
    """The settings of who looks into Elasticsearch past the proxy."""
    return replace(settings, elasticsearch_url=elasticsearch.url)


@pytest.fixture
def dice(request: pytest.FixtureRequest, say: Callable[[str], None]) -> Random:
    """What chooses the moments and the victims of this test."""
    say(f"\n{request.node.name}: CHAOS_SEED={SEED}")
    return dice_of(SEED, request.node.name)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says what was measured to whoever watches."""

    def say(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"{line}\n")

    return say
