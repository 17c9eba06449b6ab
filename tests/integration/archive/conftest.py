"""An event log that has an archive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vehicle_tracker.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vehicle_tracker.settings import Settings


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """The default settings, with a folder for the archive."""
    return replace(settings, event_archive=str(tmp_path))


@pytest.fixture
def event_log(database_url: str, tmp_path: Path) -> Iterator[EventLog]:
    """An empty event log that has an archive."""
    with EventLog(database_url, archive=str(tmp_path)) as log:
        yield log
