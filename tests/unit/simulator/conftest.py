"""The far side of the simulator's tests: a real HTTP server on loopback that answers on cue."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FarSide:
    """Answers as the contract says, unless `cues` hold something else for the next requests."""

    cues: list[Answer] = field(default_factory=list)
    posted: list[list[dict[str, Any]]] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)
    alive: list[Answer] = field(default_factory=list)

    async def heartbeats(self, request: web.Request) -> web.StreamResponse:
        """Take heartbeats, once each by VIN and time."""
        if self.cues:
            return await self.cues.pop(0)(request)
        body = json.loads(await request.read())
        batch = body if isinstance(body, list) else [body]
        stored = {(item["vin"], item["recorded_at"]) for item in self.stored}
        new = {(item["vin"], item["recorded_at"]) for item in batch} - stored
        self.posted.append(batch)
        answer = {"accepted": len(new), "duplicates": len(batch) - len(new), "rejected": []}
        return web.json_response(answer | {"position": len(stored | new)}, status=202)

    async def imports(self, request: web.Request) -> web.StreamResponse:
        """Take registrations."""
        if self.cues:
            return await self.cues.pop(0)(request)
        self.imported.append(await request.text())
        rows = self.imported[-1].count("\n") - 1
        return web.json_response({"registered": rows, "unchanged": 0, "rejected": []})

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Say that the process runs."""
        return await self.alive.pop(0)(request) if self.alive else web.Response()

    @property
    def stored(self) -> list[dict[str, Any]]:
        """All heartbeats taken, in the order they came, re-sent ones too."""
        return [heartbeat for batch in self.posted for heartbeat in batch]

    @asynccontextmanager
    async def listening(self, port: int | None = None) -> AsyncIterator[str]:
        """Listen; give the address."""
        app = web.Application()
        app.router.add_get("/health/live", self.live)
        app.router.add_post("/api/v1/heartbeats", self.heartbeats)
        app.router.add_post("/api/v1/vehicles/import", self.imports)
        server = TestServer(app, port=port)
        # A request that hangs on purpose is not waited for.
        await server.start_server(shutdown_timeout=0)
        try:
            yield str(server.make_url("/"))
        finally:
            await server.close()


@pytest.fixture
def far_side() -> FarSide:
    """A server that answers as the contract says."""
    return FarSide()


@pytest.fixture
def unused_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
