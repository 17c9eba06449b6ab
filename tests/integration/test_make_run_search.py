"""`make run SEARCH=elasticsearch`, for real: a server of its own, found with, killed, stopped."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded.programs import free_port
from tests.running import FIRST_START_S, VIN, Run, named, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

BACK_AGAIN_S = 120.0

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run that brings its own Elasticsearch, in a folder with a space in its name."""
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    monkeypatch.setenv("SEARCH", "elasticsearch")
    with tempfile.TemporaryDirectory(prefix="vt run-", ignore_cleanup_errors=True) as folder:
        made = Run(Path(folder) / "data", free_port())
        yield made
        if made.process.poll() is None:
            made.stop()


def _found(run: Run, q: str) -> list[str]:
    status, body = run.ask("GET", f"/api/v1/vehicles?q={q}")
    return [item["vin"] for item in json.loads(body)["items"]] if status == 200 else []


def test_it_finds_with_an_elasticsearch_of_its_own(run: Run) -> None:
    """The demo fleet is found; killed with -9 it comes back by itself; nothing is left running."""
    run.start(FIRST_START_S)
    wait_for(lambda: VIN in _found(run, "kales"), BACK_AGAIN_S)
    body = json.loads(run.ask("GET", "/api/v1/projections")[1])
    names = [one["name"] for one in body["items"]]
    assert names == ["customer_vehicles", "trips", "vehicle_search", "trip_search"]
    assert "elasticsearch" in json.loads(run.ask("GET", "/health/ready")[1])["ok"]

    victim = next(child for child in run.children if named(child) == "elasticsearch")
    victim.kill()
    wait_for(lambda: not _found(run, "kalles"), BACK_AGAIN_S)
    assert run.post_heartbeat()
    wait_for(lambda: VIN in _found(run, "kalles"), BACK_AGAIN_S)

    run.stop()
    assert (run.process.returncode, run.left) == (0, [])
