"""An archive as its operator meets it: one command, and files that may be damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from projections import create_app as create_projections
from tests.following import (
    ALL,
    VINS,
    append,
    archive,
    heartbeat_row,
    new_follower,
    reached,
    running,
)
from vehicle_tracker.archiving import alone_archiving
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import Unavailable
from vehicle_tracker.event_log import EventLog
from write_service.archive import main

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from vehicle_tracker.settings import Settings


def test_an_operator_archives_by_age(
    fleet: object, event_log: EventLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is old goes, the newest event stays; it is said how much it was and what it takes."""
    append(event_log, heartbeat_row(VINS[0], utc_now()))
    run = CliRunner().invoke
    monkeypatch.delenv("EVENT_ARCHIVE", raising=False)
    assert "EVENT_ARCHIVE" in run(main, ["--older-than", "1"]).output
    before = event_log.read(0, 99)
    monkeypatch.setenv("EVENT_ARCHIVE", "/nowhere")
    failed = run(main, ["--older-than", "1"])
    assert failed.exit_code == 1
    assert "/nowhere" in failed.output
    assert event_log.read(0, 99) == before
    monkeypatch.setenv("EVENT_ARCHIVE", settings.event_archive)
    with alone_archiving(settings.event_log_url):
        assert "already" in run(main, ["--older-than", "1"]).output
    said = run(main, ["--older-than", "1", "--at-once", "7"])
    assert said.exit_code == 0, said.output
    assert "18 heartbeats are archived" in said.output
    assert "0 heartbeats are archived" in run(main, ["--older-than", "1"]).output


@pytest.mark.parametrize("damage", ["gone", "bent", "torn", "exchanged"])
def test_a_file_that_is_not_as_it_was_written_is_named(
    damage: str,
    fleet: object,
    event_log: EventLog,
    database_url: str,
    engine: Engine,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """No reader goes past it: a rebuild says which; a follower waits until it is mended."""
    archive(event_log, database_url, ALL, at_once=8)
    first, file, *_ = sorted(tmp_path.iterdir())
    whole = file.read_bytes()
    middle = len(whole) // 2
    match damage:
        case "gone":
            file.unlink()
        case "bent":
            file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        case "torn":
            file.write_bytes(whole[:middle])
        case _:
            file.write_bytes(first.read_bytes())
    with pytest.raises(Unavailable, match=file.name):
        event_log.read(0, 99)
    typed = create_projections(settings).test_cli_runner().invoke(args=["rebuild", "trips"])
    assert typed.exit_code == 1
    assert file.name in typed.output.splitlines()[-1]
    with running(new_follower(event_log, engine, page=5)):
        file.write_bytes(whole)
        reached(event_log, engine)


def test_without_its_folder_an_archive_is_not_read_past(
    fleet: object, event_log: EventLog, database_url: str
) -> None:
    """A process that was not told where the files are says so, and skips none."""
    archive(event_log, database_url, ALL)
    with EventLog(database_url) as blind, pytest.raises(Unavailable, match="EVENT_ARCHIVE"):
        blind.read(0, 99)
