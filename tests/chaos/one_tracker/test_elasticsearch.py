"""An Elasticsearch that is away, slow, busy, full, killed or emptied while everything works."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded.elasticsearch import CACHE
from tests.chaos.deployment import STEADY
from tests.chaos.faulty_proxy import Fault, FaultyProxy
from tests.chaos.searching import Searching
from tests.chaos.truth import check_truth
from tests.chaos.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from tests.chaos.deployment import Deployment
    from vehicle_tracker.settings import Settings

FAULTY_S = float(os.environ.get("CHAOS_SECONDS", "5"))
DEVICES = 2
"""Fewer than elsewhere: Elasticsearch needs a core of its own."""


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


@pytest.fixture(scope="module")
def between(elasticsearch: Searching) -> Iterator[FaultyProxy]:
    """What stands between the tracker and Elasticsearch."""
    proxy = FaultyProxy(elasticsearch.url)
    proxy.start()
    yield proxy
    proxy.end()


@pytest.fixture
def proxy(between: FaultyProxy) -> Iterator[FaultyProxy]:
    """The same; whatever became of a test, the next begins without its faults."""
    yield between
    between.faults = (None,)


@pytest.fixture(scope="module")
def how(between: FaultyProxy) -> dict[str, str]:
    """The tracker has an Elasticsearch."""
    return {"elasticsearch_url": between.url}


@pytest.fixture
def searched(settings: Settings, elasticsearch: Searching) -> Settings:
    """The settings of who looks into Elasticsearch past the proxy."""
    return replace(settings, elasticsearch_url=elasticsearch.url)


def test_elasticsearch_is_away(
    deployment: Deployment,
    proxy: FaultyProxy,
    searched: Settings,
    dice: Random,
    say: Callable[[str], None],
) -> None:
    """While it is away only the search is, and says so; what it missed it is told afterwards."""
    with (
        deployment.under_load(dice, devices=DEVICES) as ledger,
        closing(Wire(deployment.read_port)) as wire,
    ):
        ledger.await_deliveries(dice.randint(50, 150))
        proxy.faults = (Fault.AWAY,)
        until = time.monotonic() + FAULTY_S
        while time.monotonic() < until:
            ledger.await_deliveries(20)
            status, answer = wire.ask("GET", "/api/v1/vehicles?limit=1")
            assert (status, b"search_unavailable" in answer) == (503, True), answer
            assert wire.ask("GET", f"/api/v1/vehicles/{STEADY[0]}")[0] == 200
            assert wire.ask("GET", "/api/v1/customers")[0] == 200
        proxy.faults = (None,)
        ledger.await_deliveries(50)
    check_truth(deployment, searched, say)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param((Fault.SLOW,), id="slow"),
        pytest.param((Fault.BUSY, Fault.HALF, None), id="busy"),
        pytest.param((Fault.MUTE, None, Fault.AWAY, None, None, Fault.HALF), id="flaky"),
    ],
)
def test_elasticsearch_is_unwell(
    deployment: Deployment,
    proxy: FaultyProxy,
    searched: Settings,
    dice: Random,
    say: Callable[[str], None],
    faults: tuple[Fault | None, ...],
) -> None:
    """Whatever it does to a page - late, refused, half, done and not said -, the page is stored."""
    with deployment.under_load(dice, devices=DEVICES) as ledger:
        ledger.await_deliveries(dice.randint(50, 150))
        before = proxy.committed
        proxy.faults = faults
        until = time.monotonic() + FAULTY_S
        while time.monotonic() < until:
            ledger.await_deliveries(20)
        went_wrong = proxy.committed - before
        say(f"  {went_wrong} requests to Elasticsearch went wrong")
        proxy.faults = (None,)
    assert went_wrong
    check_truth(deployment, searched, say)


def test_the_disk_of_elasticsearch_is_full(
    deployment: Deployment,
    elasticsearch: Searching,
    searched: Settings,
    dice: Random,
    say: Callable[[str], None],
) -> None:
    """A full disk parks nothing: searches are answered as of before it, and it catches up after."""
    with (
        deployment.under_load(dice, devices=DEVICES) as ledger,
        closing(Wire(deployment.read_port)) as wire,
    ):
        ledger.await_deliveries(dice.randint(50, 150))
        elasticsearch.fill_up(full=True)
        until = time.monotonic() + FAULTY_S / 2
        while time.monotonic() < until:
            ledger.await_deliveries(20)
            assert wire.ask("GET", "/api/v1/vehicles?limit=1")[0] == 200
        elasticsearch.fill_up(full=False)
    check_truth(deployment, searched, say)


def test_elasticsearch_is_killed_and_loses_its_index(
    deployment: Deployment,
    elasticsearch: Searching,
    searched: Settings,
    dice: Random,
    say: Callable[[str], None],
) -> None:
    """Killed with -9 beside its follower it goes on where it was; emptied, it is filled again."""
    follower = deployment.followers[-1]
    with deployment.under_load(dice, devices=DEVICES) as ledger:
        ledger.await_deliveries(dice.randint(50, 150))
        elasticsearch.kill()
        follower.kill()
        ledger.await_deliveries(dice.randint(50, 150))
    follower.start()
    began = time.monotonic()
    elasticsearch.start()
    say(f"  Elasticsearch was back after {time.monotonic() - began:.0f} s")
    check_truth(deployment, searched, say)
    with deployment.under_load(dice, devices=DEVICES) as ledger:
        ledger.await_deliveries(50)
        elasticsearch.forget()
        ledger.await_deliveries(50)
    check_truth(deployment, searched, say)
