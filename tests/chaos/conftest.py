"""A PostgreSQL for each module, so that it can be killed; a deployment on it for each test."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator.dice import dice as dice_of
from tests.chaos.database import Database
from tests.chaos.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

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
    return database.empty()


@pytest.fixture
def deploy(
    database: Database, database_url: str, tmp_path: Path
) -> Iterator[Callable[..., Deployment]]:
    """Starts the tracker on the test's database."""
    with ExitStack() as deployed:

        def deploy(**how: Any) -> Deployment:
            one = Deployment(database, database_url, tmp_path, **how)
            return deployed.enter_context(one.running())

        yield deploy


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
