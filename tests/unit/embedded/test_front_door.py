"""The front door, before two small real services."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from embedded.front_door import FrontDoor

MEGABYTE = 1_000_000
NAME = web.AppKey("name", str)


class Services:
    """Two services that answer with what they were asked, behind one front door."""

    def __init__(
        self, client: aiohttp.ClientSession, door: URL, servers: dict[str, TestServer]
    ) -> None:
        self.client = client
        self.door = door
        self.servers = servers

    async def ask(self, method: str, path: str, **how: object) -> tuple[int, dict[str, object]]:
        url = URL(f"{str(self.door).rstrip('/')}{path}", encoded=True)
        async with self.client.request(method, url, **how) as response:  # type: ignore[arg-type]
            text = await response.text()
            return response.status, json.loads(text) if text else dict(response.headers)


async def tell(request: web.Request) -> web.StreamResponse:
    """Say which request arrived here."""
    body = await request.read()
    return web.json_response(
        {
            "service": request.app[NAME],
            "method": request.method,
            "path": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "bytes": len(body),
            "body": body.decode("latin-1")[:200],
        },
        headers={"X-Answer": "yes", "Connection": "X-Answer"},
    )


@asynccontextmanager
async def services(
    dashboard: Path, handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = tell
) -> AsyncIterator[Services]:
    servers = {}
    for name in ("read_service", "write_service"):
        app = web.Application(client_max_size=100 * MEGABYTE)
        app[NAME] = name
        app.router.add_route("*", "/{path:.*}", handler)
        servers[name] = TestServer(app)
        await servers[name].start_server(auto_decompress=False)
    door = FrontDoor(
        **{name: URL(str(server.make_url("/"))) for name, server in servers.items()},
        dashboard=dashboard,
    )
    front = TestServer(door.application())
    await front.start_server(auto_decompress=False)
    try:
        async with aiohttp.ClientSession(auto_decompress=False) as client:
            yield Services(client, URL(str(front.make_url("/"))), servers)
    finally:
        for server in (front, *servers.values()):
            await server.close()


def in_a_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """Let a test be a coroutine."""

    @wraps(test)
    def run(**given: object) -> None:
        asyncio.run(test(**given))

    return run


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    folder = tmp_path / "browser"
    folder.mkdir()
    (folder / "index.html").write_text("<html>dashboard</html>")
    (folder / "main-ABCD1234.js").write_text("run()")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("GET", "/api/v1/vehicles?q=%C3%A5%2F&status=connected", "read_service"),
        ("OPTIONS", "/api/v1/vehicles", "read_service"),
        ("GET", "/search?online=true", "read_service"),
        ("GET", "/search/ping", "read_service"),
        ("GET", "/health/ready", "read_service"),
        ("GET", "/metrics", "read_service"),
        ("GET", "/openapi.json", "read_service"),
        ("GET", "/docs", "read_service"),
        ("GET", "/docs/swagger-ui.css", "read_service"),
        ("POST", "/api/v1/heartbeats", "write_service"),
        ("PUT", "/api/v1/anything", "write_service"),
        ("PATCH", "/api/v1/vehicles/X", "write_service"),
        ("DELETE", "/api/v1/vehicles/X", "write_service"),
        ("GET", "/api/v1/vehicles/X/trips", "read_service"),
        ("GET", "/api/v1/trips/X/track", "read_service"),
        ("POST", "/api/v1/vehicles/X/trips", "write_service"),
        ("POST", "/api/v1/trips/X/end", "write_service"),
        ("GET", "/heartbeat/ping", "write_service"),
        ("POST", "/heartbeat/X", "write_service"),
    ],
)
@in_a_loop
async def test_who_answers(method: str, path: str, service: str, dashboard: Path) -> None:
    """Reading methods reach the read service, writing ones the write service, byte for byte."""
    async with services(dashboard) as all_of_it:
        status, answer = await all_of_it.ask(method, path)
        assert (status, answer["service"], answer["path"]) == (200, service, path)
        assert answer["method"] == method


@pytest.mark.parametrize(
    "page", ["/docs", "/docs/x.css", "/openapi.json", "/metrics", "/health/live"]
)
@in_a_loop
async def test_pages_of_the_write_service(page: str, dashboard: Path) -> None:
    """The write service's own pages are below /write, and it is told so."""
    async with services(dashboard) as all_of_it:
        _, answer = await all_of_it.ask("GET", f"/write{page}?a=b")
        assert (answer["service"], answer["path"]) == ("write_service", f"{page}?a=b")
        assert answer["headers"]["x-forwarded-prefix"] == "/write"  # type: ignore[index]


@in_a_loop
async def test_headers(dashboard: Path) -> None:
    """Each request has an id and says who sent it; headers of one hop stay on that hop."""
    async with services(dashboard) as all_of_it:
        sent = {"Connection": "X-Hop", "X-Hop": "1", "X-Forwarded-For": "192.0.2.1"}
        async with all_of_it.client.get(all_of_it.door / "api/x", headers=sent) as response:
            told = (await response.json())["headers"]
            assert "X-Answer" not in response.headers
        assert "x-hop" not in told
        assert told["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
        assert told["host"] == told["x-forwarded-host"] == all_of_it.door.authority
        assert "x-request-id" not in told
        _, answer = await all_of_it.ask("GET", "/api/x", headers={"X-Request-ID": "mine"})
        assert answer["headers"]["x-request-id"] == "mine"  # type: ignore[index]


@in_a_loop
async def test_bodies_pass_unchanged(dashboard: Path) -> None:
    """A body arrives as it was sent: compressed, with its length, or in chunks."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * MEGABYTE

    async with services(dashboard) as all_of_it:
        packed = gzip.compress(b"[]")
        _, answer = await all_of_it.ask(
            "POST", "/api/v1/heartbeats", data=packed, headers={"Content-Encoding": "gzip"}
        )
        assert answer["body"] == packed.decode("latin-1")
        assert answer["headers"]["content-length"] == str(len(packed))  # type: ignore[index]
        _, answer = await all_of_it.ask(
            "POST", "/api/v1/heartbeats", data=chunks(), headers={"Expect": "100-continue"}
        )
        assert answer["bytes"] == 20 * MEGABYTE


@in_a_loop
async def test_streams_both_ways(dashboard: Path) -> None:
    """What is sent in parts arrives in parts, before the rest of it exists."""

    async def echo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        return response

    async with services(dashboard, echo) as all_of_it:
        more: asyncio.Queue[bytes] = asyncio.Queue()
        more.put_nowait(b"first")

        async def parts() -> AsyncIterator[bytes]:
            while part := await more.get():
                yield part

        async with all_of_it.client.post(all_of_it.door / "api/x", data=parts()) as response:
            assert await response.content.readany() == b"first"
            more.put_nowait(b"second")
            assert await response.content.readany() == b"second"
            more.put_nowait(b"")
            assert await response.content.readany() == b""


@pytest.mark.parametrize(
    ("method", "service"), [("GET", "read_service"), ("POST", "write_service")]
)
@in_a_loop
async def test_a_service_is_away(method: str, service: str, dashboard: Path) -> None:
    """Without its service a request is answered 503 with a problem that says when to come back."""
    async with services(dashboard) as all_of_it:
        await all_of_it.servers[service].close()
        async with all_of_it.client.request(method, all_of_it.door / "api/x") as response:
            assert response.status == 503
            assert response.content_type == "application/problem+json"
            assert response.headers["Retry-After"] == "1"
            assert json.loads(await response.read())["code"] == f"{service}_unavailable"


@in_a_loop
async def test_nothing_is_sent_twice(dashboard: Path) -> None:
    """A POST that reached its service is never sent again, even if the answer was lost."""
    arrived = []

    async def hang_up(request: web.Request) -> web.StreamResponse:
        arrived.append(await request.read())
        assert request.transport
        request.transport.abort()
        return web.Response()

    async with services(dashboard, hang_up) as all_of_it:
        status, answer = await all_of_it.ask("POST", "/api/v1/heartbeats", data=b"{}")
        assert (status, answer["code"]) == (503, "write_service_unavailable")
        assert arrived == [b"{}"]


@in_a_loop
async def test_half_an_answer(dashboard: Path) -> None:
    """An answer that breaks off halfway breaks off for the client too."""

    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.close()
        return response

    async with services(dashboard, break_off) as all_of_it:
        with pytest.raises(aiohttp.ClientError):
            await all_of_it.ask("GET", "/api/x")


@pytest.mark.parametrize(
    ("path", "status", "caching", "text"),
    [
        ("/", 200, "no-cache", "<html>dashboard</html>"),
        ("/vehicles/YS2R4X20005399401", 200, "no-cache", "<html>dashboard</html>"),
        ("/main-ABCD1234.js", 200, "public, max-age=31536000, immutable", "run()"),
        ("/missing.js", 404, None, None),
        ("/%2e%2e/secret.txt", 404, None, None),
        ("/%00.js", 404, None, None),
        (f"/{'long' * 1000}.js", 404, None, None),
    ],
)
@in_a_loop
async def test_dashboard(
    path: str, status: int, caching: str | None, text: str | None, dashboard: Path
) -> None:
    """Hashed files may be kept for ever, the page never; a route of the page is the page."""
    async with services(dashboard) as all_of_it:
        url = URL(str(all_of_it.door)[:-1] + path, encoded=True)
        async with all_of_it.client.get(url) as response:
            assert response.status == status
            assert response.headers.get("Cache-Control") == caching
            if text is not None:
                assert await response.text() == text


@in_a_loop
async def test_dashboard_is_not_built(tmp_path: Path) -> None:
    """Without a built dashboard the page says so, and the services are reached all the same."""
    async with services(tmp_path) as all_of_it:
        status, answer = await all_of_it.ask("GET", "/")
        assert (status, answer["code"]) == (503, "dashboard_not_built")
        assert (await all_of_it.ask("GET", "/api/x"))[0] == 200
