"""Images: small, nobody's, of their own packages only, and quickly ready on a read-only disk."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.stack.images import AS_IN_THE_STACK, BASE_OF, container, name_of, size_mb

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.engine import Engine

MOST_MB = 150
READY_WITHIN_S = 2.0
TRIES = 3
PACKAGES = {
    "write": {"vehicle_tracker", "write_service"},
    "read": {"migrations", "projections", "read_service", "vehicle_tracker"},
    "projections": {"migrations", "projections", "vehicle_tracker"},
    "simulator": {"simulator"},
}
MONITOR = ("python", "-m", "write_service.connection_monitor")
ANSWERING = {
    "write": ("write",),
    "monitor": ("write", *MONITOR),
    "read": ("read",),
    "follower": ("projections", "follow", "customer_vehicles"),
}


@pytest.mark.parametrize("target", BASE_OF)
def test_an_image_adds_little_to_its_base(
    target: str, engine: Engine, say: Callable[[str], None]
) -> None:
    """Each image is at most 150 MB larger than what it is built on."""
    whole, base = size_mb(engine, name_of(target)), size_mb(engine, BASE_OF[target])
    say(f"image {target}: {whole - base:.0f} MB beyond {BASE_OF[target]} ({base:.0f} MB)")
    assert whole - base <= MOST_MB


@pytest.mark.parametrize("target", BASE_OF)
def test_an_image_runs_as_nobody_and_says_what_it_is(target: str, engine: Engine) -> None:
    """No process is root, and the labels tell title, version and licence."""
    told = engine(
        "image", "inspect", "--format", "{{.Config.User}} {{json .Config.Labels}}", name_of(target)
    )
    user, _, labels = told.partition(" ")
    assert user not in ("", "0", "root")
    for label in ("title", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}" in labels


@pytest.mark.parametrize("target", PACKAGES)
def test_an_image_holds_only_what_it_may_import(target: str, engine: Engine) -> None:
    """Packages of other services, tests, compilers and pip are in none."""
    inside = engine("run", "--rm", "--entrypoint=ls", name_of(target), "/app").split()
    assert {one for one in inside if "." not in one and one != "__pycache__"} == PACKAGES[target]
    tools = "for tool in gcc cc /venv/bin/pip /venv/bin/pytest; do command -v $tool; done; true"
    assert not engine("run", "--rm", "--entrypoint=bash", name_of(target), "-c", tools)


@pytest.mark.parametrize("process", ANSWERING)
def test_a_process_is_soon_ready(
    process: str, engine: Engine, postgresql: tuple[str, ...], say: Callable[[str], None]
) -> None:
    """From its start on a read-only disk to `/health/ready` it takes at most 2 s."""
    target, *command = ANSWERING[process]
    took = []
    for _ in range(TRIES):
        with container(engine, *AS_IN_THE_STACK, *postgresql, name_of(target), *command) as one:
            took.append(one.await_status(f"{one.address(8000)}/health/ready"))
            one.run("python", "-S", "ready.py")
    say(f"start of {process} to ready: {min(took):.2f} s (of {TRIES})")
    assert min(took) <= READY_WITHIN_S


def test_the_dashboard_is_kept_but_for_its_index(
    engine: Engine, say: Callable[[str], None]
) -> None:
    """Assets whose names change with their content are kept for ever, index.html never."""
    with container(engine, *AS_IN_THE_STACK, name_of("frontend")) as one:
        took = one.await_status(f"{one.address(8080)}/health")
        say(f"start of frontend to ready: {took:.2f} s")
        page = _headers_and_body(f"{one.address(8080)}/vehicles/YS2R4X20005399401")
        main = re.search(r"main-\w+\.js", page[1])
        assert main, page[1]
        asset = _headers_and_body(f"{one.address(8080)}/{main[0]}")
        assert page[0]["Cache-Control"] == "no-cache"
        assert "immutable" in asset[0]["Cache-Control"]
        one.await_status(f"{one.address(8080)}/nothing-12345678.js", 404, within_s=1)


def test_the_simulator_drives_from_its_image(engine: Engine) -> None:
    """It says which address it cannot use in one line, on a read-only disk."""
    told = engine.run("run", "--rm", *AS_IN_THE_STACK, name_of("simulator"), "--url", "nowhere")
    assert told.returncode == 2
    assert "'nowhere' is not an address" in told.stderr


def _headers_and_body(url: str) -> tuple[dict[str, str], str]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
        return dict(answer.headers), answer.read().decode()
