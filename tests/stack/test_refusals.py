"""A container that cannot work says why in one line and ends with another code than 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack.images import AS_IN_THE_STACK, container, name_of

if TYPE_CHECKING:
    from tests.stack.engine import Engine

NOWHERE = "postgresql://tracker:secret@nowhere.invalid/tracker"
LOG, MODELS = f"--env=EVENT_LOG_URL={NOWHERE}", f"--env=DATABASE_URL={NOWHERE}"
SOON = "--env=WAIT_FOR_STORES_S=1"
WRITE, READ = (name_of("write"),), (name_of("read"),)
MONITOR = (*WRITE, "python", "-m", "write_service.connection_monitor")
FOLLOWER = (name_of("projections"), "follow", "customer_vehicles")
MIGRATE = (name_of("projections"), "db", "upgrade")
ALL = {"write": WRITE, "read": READ, "monitor": MONITOR, "follower": FOLLOWER, "migrate": MIGRATE}
KNOWS_READ_MODELS = ("read", "follower", "migrate")


def refusal(engine: Engine, *arguments: str) -> str:
    """The line with which a container refused to start, which it did."""
    with container(engine, *AS_IN_THE_STACK, SOON, *arguments) as one:
        assert one.await_end() != 0, one.said()
        said = one.said()
        assert "Traceback" not in said
        assert "secret@" not in said
        lines = [line for line in said.splitlines() if line.startswith(("wrong ", "cannot start"))]
        assert len(lines) == 1, said
        return lines[0]


@pytest.mark.parametrize("process", ALL)
def test_a_missing_secret(process: str, engine: Engine) -> None:
    """Without the address of the event log it names the setting."""
    assert "EVENT_LOG_URL" in refusal(engine, MODELS, *ALL[process])


@pytest.mark.parametrize("process", KNOWS_READ_MODELS)
def test_a_missing_secret_of_the_read_models(process: str, engine: Engine) -> None:
    """Without the address of the read models, too; who knows none needs none."""
    assert "DATABASE_URL" in refusal(engine, LOG, *ALL[process])


@pytest.mark.parametrize("process", ALL)
def test_a_secret_that_is_not_there(process: str, engine: Engine) -> None:
    """A file that is not mounted is named."""
    missing = "--env=EVENT_LOG_URL_FILE=/run/secrets/event_log_url"
    assert "/run/secrets/event_log_url" in refusal(engine, missing, MODELS, *ALL[process])


@pytest.mark.parametrize("process", ALL)
def test_a_wrong_address(process: str, engine: Engine) -> None:
    """What is no PostgreSQL address is named before anything is tried, without its password."""
    wrong = "--env=EVENT_LOG_URL=http://tracker:secret@nowhere.invalid"
    assert "EVENT_LOG_URL" in refusal(engine, wrong, MODELS, *ALL[process])


@pytest.mark.parametrize("process", ALL)
def test_a_store_that_is_not_there(process: str, engine: Engine) -> None:
    """It waits as long as it is told to, and then says which host it looked for."""
    assert "nowhere.invalid" in refusal(engine, LOG, MODELS, *ALL[process])


@pytest.mark.parametrize("process", ["read", "follower"])
def test_a_store_that_is_not_migrated(
    process: str, engine: Engine, postgresql: tuple[str, ...]
) -> None:
    """It names both migrations, the database's and the one it needs."""
    fresh = next(one for one in postgresql if "DATABASE_URL" in one)
    fresh = f"{fresh.rpartition('/')[0]}/template1"
    assert "the database is at migration None" in refusal(engine, *postgresql, fresh, *ALL[process])


@pytest.mark.parametrize("process", ["write", "read", "monitor", "follower"])
def test_a_port_that_is_taken(process: str, engine: Engine, postgresql: tuple[str, ...]) -> None:
    """It names the port."""
    somebody = "python", "-m", "http.server", "8000"
    with container(engine, *postgresql, name_of("write"), *somebody) as other:
        other.await_status(f"{other.address(8000)}/")
        within = [one for one in postgresql if not one.startswith("--network")]
        same = f"--network=container:{other.identity}"
        assert "port 8000" in refusal(engine, same, *within, *ALL[process])
