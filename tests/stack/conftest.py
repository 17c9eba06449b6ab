"""What these tests share: one engine, the images, and a database for single containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack import bases, images, traefik
from tests.stack.engine import Engine
from tests.stack.images import AS_IN_THE_STACK, container, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSWORD = "of-this-test-alone"  # noqa: S105
NETWORK = "vehicle-tracker-images"


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Write a line of the transcript, whatever pytest captures."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"  {line}", flush=True)  # noqa: T201

    return write


@pytest.fixture(scope="session")
def engine(say: Callable[[str], None]) -> Iterator[Engine]:
    """An engine that has our images."""
    one = Engine()
    try:
        say(f"\n  {one.find_or_start()}")
        if not bases.provide(one, say):
            say(f"no image of Traefik is to be had: {traefik.VERSION}, compiled here")
            traefik.build_stand_in(one, say)
        images.build(one)
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="session")
def postgresql(engine: Engine) -> Iterator[tuple[str, ...]]:
    """The options of a container that is to reach a migrated PostgreSQL."""
    engine.run("network", "rm", NETWORK)
    engine("network", "create", NETWORK)
    url = f"postgresql://postgres:{PASSWORD}@postgresql/postgres"
    reaching = f"--network={NETWORK}", f"--env=EVENT_LOG_URL={url}", f"--env=DATABASE_URL={url}"
    serve = f"printf {PASSWORD} > /tmp/password; exec docker-entrypoint.sh postgres -h '*'"
    try:
        with container(
            engine, f"--network={NETWORK}", "--network-alias=postgresql",
            "--env=POSTGRES_PASSWORD_FILE=/tmp/password", "--env=POSTGRES_INITDB_ARGS=",
            "--entrypoint=bash", bases.BASES["postgres"], "-c", serve,
        ):  # fmt: skip
            migrate = name_of("projections"), "db", "upgrade"
            engine("run", "--rm", *AS_IN_THE_STACK, *reaching, *migrate)
            yield reaching
    finally:
        engine.run("network", "rm", NETWORK)
