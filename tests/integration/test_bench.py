"""The benches, on a fleet so small that only what they promise is left to see."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from bench import archive, log, million
from bench.deployment import deployed


def test_a_fleet_is_posted_and_the_read_models_are_what_the_log_says(tmp_path: Path) -> None:
    """All that was generated is accepted, projected, and equal to the fold of the log."""
    told = CliRunner().invoke(
        million.main,
        [
            *("--vehicles", "1000", "--rate", "1000", "--minutes", "0.1"),
            *("--no-search", "--searchers", "2", "--search-every", "0.5"),
            *("--out", str(tmp_path)),
        ],
        catch_exceptions=False,
    )
    assert told.exit_code == 0, told.output
    result = json.loads((tmp_path / "million.json").read_text(encoding="utf-8"))["result"]
    posted, check = result["heartbeats"], result["check"]
    assert posted["late"]
    assert posted["again"]
    assert (posted["accepted"], posted["duplicates"]) == (
        posted["fresh"] + posted["late"],
        posted["again"],
    )
    assert check["errors"] == []
    assert check["heartbeats_in_log"] == posted["accepted"]
    assert not result["searches_failed"]
    assert {"write-service", "follower-customer_vehicles", "postgresql: write-service"} <= set(
        result["cpu_us_a_heartbeat"]
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_leaves_nothing(number: signal.Signals) -> None:
    """Whatever it is doing: its processes have ended, its data is gone, it says how it ended."""
    started, folders = list[psutil.Process](), list[Path]()

    def run() -> None:
        with deployed(None, search=False) as tracker:
            tracker.start("connection-monitor")
            started.extend(map(psutil.Process, tracker.supervisor.processes().values()))
            folders.append(tracker.folder)
            os.kill(os.getpid(), number)

    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 128 + number
    assert len(started) == 3
    assert not any(one.is_running() for one in started)
    assert not folders[0].exists()


def test_a_heartbeats_bytes_add_up(database_url: str) -> None:
    """What a heartbeat takes on disk is its table and its indices, and the WAL had all of it."""
    found = log.measure(database_url, vehicles=1_000, minutes=3, told=lambda _done, _said: None)
    sizes = dict(found["bytes"])
    state, total = sizes.pop("state"), sizes.pop("total")
    wal, then = sizes.pop("wal"), sizes.pop("wal after a checkpoint")
    assert state < sizes["table"]
    assert sum(sizes.values()) == pytest.approx(total, abs=1)
    assert sizes["table"] < wal < then


def test_an_archived_heartbeat_takes_less(database_url: str, tmp_path: Path) -> None:
    """All but the newest are archived, and most of their bytes are gone."""
    found = archive.measure(
        database_url, tmp_path, (40, 70), at_once=1_500, told=lambda _done, _said: None
    )
    sizes = found["bytes"]
    assert found["heartbeats"] == 40 * 70 - 1
    assert sizes["in files"] + sizes["in the table by stream"] == pytest.approx(
        sizes["archived"], abs=0.2
    )
    assert sizes["in files"] < sizes["in the log"] / 4
