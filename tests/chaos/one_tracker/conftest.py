"""A tracker for each module: what goes wrong comes to one that was through the faults before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.database import Database


@pytest.fixture(scope="module")
def database_url(database: Database) -> str:
    """The address of a database that is empty before the first test."""
    return database.empty()


@pytest.fixture(scope="module")
def deployment(
    database: Database,
    database_url: str,
    how: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """The tracker on it; `how` is what a module wants of it."""
    logs = tmp_path_factory.mktemp("logs")
    with Deployment(database, database_url, logs, **how).running() as one:
        yield one
