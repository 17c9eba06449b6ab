"""docker-stack.yml on a real engine: up, read back, scaled, updated under load, killed, removed.

The tests are the steps of one deployment, in their order.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.stack import images
from tests.stack.engine import DockerError
from tests.stack.load import Load, client
from tests.stack.stack import NAME, Stack, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.stack.engine import Engine
    from tests.stack.load import Ledger

VINS = [f"YS2R4X2000540{number:04}" for number in range(8)]
NEXT = f"{images.TAG}-next"
BROKEN = f"{images.TAG}-broken"
KILLS = 6
KILLED = ("write", "read", "frontend", "monitor", "customer-vehicles", "trips", "vehicle-search")


@pytest.fixture(scope="module")
def stack(engine: Engine, say: Callable[[str], None]) -> Iterator[Stack]:
    """The stack, deployed; removed in the end whatever happened."""
    images.build(engine, NEXT)
    one = Stack(engine)
    try:
        one.prepare()
        began = time.monotonic()
        code, said = one.deploy(images.TAG)
        assert code == 0, said
        say(f"up, all tasks healthy, after {time.monotonic() - began:.0f} s")
        yield one
    finally:
        one.remove()


def test_only_the_proxy_can_be_reached(stack: Stack) -> None:
    """Two ports are published, both the proxy's."""
    assert stack.published() == {"proxy": [80, 443]}


def test_nothing_secret_is_in_the_environment(stack: Stack) -> None:
    """What the engine shows of a service tells no address with a password, nor a password."""
    assert "postgresql://" not in stack.environment()
    assert "PASSWORD=" not in stack.environment()


def test_each_path_has_its_service(stack: Stack) -> None:
    """Dashboard, both services' routes and documents, and the demo's wire, at one address."""
    for path, expected in {
        "/": "<vt-root>",
        "/vehicles/YS2R4X20005399401": "<vt-root>",
        "/openapi.json": "read service",
        "/write/openapi.json": "write service",
        "/docs/": "swagger",
        "/write/docs/": "swagger",
        "/search/ping": "pong",
        "/heartbeat/ping": "pong",
        "/api/v1/projections": "trip_search",
    }.items():
        # Traefik asks the swarm every two seconds what there is.
        assert expected in _answered(path), path


def test_the_proxy_guards_what_is_behind_it(stack: Stack, engine: Engine) -> None:
    """TLS, headers, so many requests a second; its own pages are shut, and queries not logged."""
    status, headers = headers_of("http://localhost/")
    assert (status, headers["Location"]) in {(code, "https://localhost/") for code in (301, 308)}
    status, headers = headers_of("/")
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert ask_json("GET", "/api/rawdata")[0] == 404
    assert "<vt-root>" in ask("GET", "/dashboard/")[1]
    assert ask("GET", "/api/v1/vehicles?q=nobodysbusiness")[0] == 200
    statuses = asyncio.run(_all_at_once("/search/ping", 1_000))
    assert set(statuses) == {200, 429}
    logged = partial(engine, "service", "logs", "--raw", f"{NAME}_proxy")
    wait_until(lambda: '"RequestPath":"/api/v1/vehicles' in logged(), 10)
    assert "nobodysbusiness" not in logged()


def test_what_is_posted_is_read_back(stack: Stack, say: Callable[[str], None]) -> None:
    """A fleet is registered, sends heartbeats, and is found, trips and availability included."""
    header = "vin,registration_number,customer,address"
    rows = [f"{vin},STK{number:03},Stack AB,Road 1" for number, vin in enumerate(VINS)]
    status, said = ask("POST", "/api/v1/vehicles/import", data="\n".join([header, *rows]))
    assert status == 200, said
    status, told = ask_json("POST", f"/api/v1/vehicles/{VINS[0]}/heartbeats")
    assert status == 202, told
    status, found = ask_json("GET", f"/api/v1/vehicles?q=STK000&at_least={told['position']}")
    assert (status, found["total"]) == (200, 1), found
    assert found["items"][0]["status"] == "connected"
    say(f"posted and read back: position {told['position']}, {found['items'][0]['status']}")


def test_old_heartbeats_are_archived_where_all_see_them(stack: Stack) -> None:
    """The command runs beside the monitor; who reads the log sees its files, and writes none."""
    said = stack.run_in("monitor", "python", "-m", "write_service.archive", "--older-than", "1")
    assert "0 heartbeats are archived" in said
    stack.run_in("monitor", "touch", "/archive/a-file")
    for service in ("read", "customer-vehicles", "trips"):
        assert stack.run_in(service, "ls", "/archive") == "a-file"
        with pytest.raises(DockerError, match="Read-only"):
            stack.run_in(service, "touch", "/archive/another")
    stack.run_in("monitor", "rm", "/archive/a-file")


def test_it_is_scaled_under_load(stack: Stack, say: Callable[[str], None]) -> None:
    """Write goes from 2 to 4 and read from 2 to 3; no request fails, nothing is lost."""
    with Load(VINS) as ledger:
        stack.scale(write=4, read=3)
        wait_until(lambda: len(stack.containers("write")) == 4, 60)
        took = stack.await_settled()
    assert (len(stack.containers("write")), len(stack.containers("read"))) == (4, 3)
    report(say, f"write 2 -> 4, read 2 -> 3 in {took:.0f} s", ledger)
    assert not ledger.failures
    expect_all(ledger)


def test_an_update_rolls_under_load(stack: Stack, say: Callable[[str], None]) -> None:
    """The next images replace the first ones; no request fails, nothing is lost."""
    with Load(VINS) as ledger:
        began = time.monotonic()
        code, said = stack.deploy(NEXT)
        took = time.monotonic() - began
    report(say, f"rolling update of every service of ours in {took:.0f} s", ledger)
    assert code == 0, said
    assert stack.tags() == {NEXT}
    assert not ledger.failures
    expect_all(ledger)


def test_a_release_that_does_not_stay_up_is_taken_back(
    stack: Stack, engine: Engine, say: Callable[[str], None]
) -> None:
    """`ops/deploy` says so and exits with 1; the release before runs, and no request has failed."""
    images.build_broken(engine, BROKEN, good=NEXT)
    with Load(VINS) as ledger:
        began = time.monotonic()
        code, said = stack.deploy(BROKEN)
        stack.await_settled()
        took = time.monotonic() - began
    report(say, f"a broken release, taken back after {took:.0f} s", ledger)
    assert code == 1, said
    assert f"{BROKEN} does not stay up; back to {NEXT}" in said
    wait_until(lambda: stack.tags() == {NEXT}, 60)  # the last of it is still being stopped
    assert not ledger.failures
    expect_all(ledger)


def test_containers_are_killed_at_random(stack: Stack, say: Callable[[str], None]) -> None:
    """Whatever is killed comes back by itself, and nothing that was acknowledged is lost."""
    dice = random.Random(7)  # noqa: S311 # the same kills in every run
    stack.scale(write=2, read=2)
    stack.await_settled()
    with Load(VINS) as ledger:
        for service in [dice.choice(KILLED) for _ in range(KILLS)]:
            failed = len(ledger.failures)
            took = stack.kill(service, dice)
            say(
                f"killed {service}: back after {took:.1f} s, {len(ledger.failures) - failed} failed"
            )
    report(say, f"{KILLS} containers killed", ledger)
    expect_all(ledger)


@pytest.mark.parametrize("store", ["postgresql", "elasticsearch"])
def test_a_store_is_killed(store: str, stack: Stack, say: Callable[[str], None]) -> None:
    """While it is away requests are told so; it comes back by itself, and nothing is lost."""
    with Load(VINS) as ledger:
        wait_until(lambda: ledger.heartbeats > len(VINS), 60)
        took = stack.kill(store, random.Random())  # noqa: S311 # there is one
        wait_until(lambda: ask("GET", "/api/v1/vehicles?limit=1")[0] == 200, 60)
        wait_until(partial(ledger.goes_on_after, ledger.heartbeats), 60)
    report(say, f"killed {store}: back after {took:.1f} s", ledger)
    expect_all(ledger)


def test_nothing_is_left(stack: Stack, engine: Engine) -> None:
    """Removed, there is no container, network, volume, secret or config of it."""
    stack.remove()
    ours = f"--filter=label=com.docker.stack.namespace={NAME}"
    for listing in (("ps", "--all"), ("volume", "ls"), ("network", "ls")):
        assert not engine(*listing, "--quiet", ours)
    assert engine("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"


def report(say: Callable[[str], None], what: str, ledger: Ledger) -> None:
    """A line of the transcript, and the first failures."""
    answers = ", ".join(f"{count} x {answer}" for answer, count in sorted(ledger.answers.items()))
    say(f"{what}: {answers}; p99 {ledger.p99_ms():.0f} ms, {len(ledger.failures)} failed")
    for failure in ledger.failures[:5]:
        say(f"    {failure}")


def expect_all(ledger: Ledger) -> None:
    """Every heartbeat that was acknowledged is in the log, and the newest in the read model."""
    assert ledger.heartbeats
    for vin, acknowledged in ledger.acknowledged.items():
        if not acknowledged:
            continue
        wait_until(partial(_is_shown, vin, max(acknowledged)), 60)
        lost = set(acknowledged) - set(_heartbeats(vin, acknowledged))
        assert not lost, f"{vin} lost {sorted(lost)}"


def _is_shown(vin: str, newest: str) -> bool:
    status, told = ask_json("GET", f"/api/v1/vehicles/{vin}")
    return status == 200 and told["last_heartbeat_at"] >= newest


def _heartbeats(vin: str, acknowledged: list[str]) -> Iterator[str]:
    asked = f"/api/v1/vehicles/{vin}/heartbeats?from={min(acknowledged)}&limit=500"
    cursor = ""
    while True:
        page = json.loads(_answered(asked + cursor))
        yield from (one["recorded_at"] for one in page["items"])
        if not page["next_cursor"]:
            return
        cursor = f"&cursor={page['next_cursor']}"


def _answered(path: str) -> str:
    """What it says, sooner or later: one replica may be back before the other."""
    said: list[str] = []

    def is_answered() -> bool:
        status, body = ask("GET", path)
        said.append(body)
        return status == 200

    wait_until(is_answered, 10, lambda: said[-1])
    return said[-1]


async def _all_at_once(path: str, count: int) -> list[int]:
    """The statuses of so many requests, a hundred at a time."""

    async def some(session: aiohttp.ClientSession) -> list[int]:
        statuses = []
        for _ in range(count // 100):
            async with session.get(path) as answer:
                statuses.append(answer.status)
        return statuses

    async with client() as session:
        found = await asyncio.gather(*(some(session) for _ in range(100)))
    return [status for statuses in found for status in statuses]


def headers_of(address: str) -> tuple[int, Mapping[str, str]]:
    """The status and the headers of what is answered there, or of where it sends us."""

    async def request() -> tuple[int, Mapping[str, str]]:
        async with client() as session, session.get(address, allow_redirects=False) as answer:
            return answer.status, answer.headers

    return asyncio.run(request())


def ask(method: str, path: str, data: str = "") -> tuple[int, str]:
    """One request through the proxy: status and body."""

    async def request() -> tuple[int, str]:
        headers = {"Content-Type": "text/csv"} if data else {}
        async with client() as session:
            asked = session.request(method, path, data=data or None, headers=headers)
            async with asked as answer:
                return answer.status, await answer.text()

    return asyncio.run(request())


def ask_json(method: str, path: str) -> tuple[int, Any]:
    """The same, decoded."""
    status, said = ask(method, path)
    return status, json.loads(said) if said.startswith(("{", "[")) else said
