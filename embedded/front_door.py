"""One address for the dashboard and both services, as the proxy is in a swarm.

Reading methods go to the read service, writing ones to the write service; bodies stream through
both ways, whatever their size. What has reached a service is never sent to it a second time.
"""

import argparse
import asyncio
import logging
import re
import signal
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

READING = {hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS}
SERVICE_PATHS = re.compile(r"/(api/|search(/|$)|health/|metrics$|openapi\.json$|docs(/|$))")
WRITE_SIDE = re.compile(r"/write(?=/(docs(/|$)|openapi\.json$|metrics$|health/))")
# Between two hops only (RFC 9110, 7.6.1), and Expect, which this hop has already met.
HOP_BY_HOP = {
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
HASHED_ASSET = re.compile(r"-[A-Za-z0-9_-]{8,}\.\w+$")
FOR_EVER = "public, max-age=31536000, immutable"
SILENCE_S = 120.0
# Shorter than the 30 s after which Granian closes an idle connection.
IDLE_S = 15.0
SHUTDOWN_S = 1.0

_log = logging.getLogger(__name__)


class FrontDoor:
    """Answers every request: from one of the two services, or with the built dashboard."""

    def __init__(self, *, read_service: URL, write_service: URL, dashboard: Path) -> None:
        self._services = {"read_service": read_service, "write_service": write_service}
        self._dashboard = dashboard.resolve()
        self._client: aiohttp.ClientSession

    def application(self) -> web.Application:
        """Answer the application, whose connections to the services live as long as it does."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        application.cleanup_ctx.append(self._connections)
        return application

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request from where it belongs."""
        path = request.path
        if prefix := WRITE_SIDE.match(path):
            return await self._forward(request, "write_service", prefix=prefix.group())
        if path.startswith("/heartbeat/") or request.method not in READING:
            return await self._forward(request, "write_service")
        if SERVICE_PATHS.match(path):
            return await self._forward(request, "read_service")
        return self._page(path)

    async def _connections(self, _: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_S),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as self._client:
            yield

    async def _forward(
        self, request: web.Request, service: str, prefix: str = ""
    ) -> web.StreamResponse:
        target = self._services[service].join(
            URL(request.raw_path.removeprefix(prefix), encoded=True)
        )
        headers = _request_headers(request, prefix)
        response: web.StreamResponse | None = None
        try:
            async with self._client.request(
                request.method,
                target,
                headers=headers,
                data=request.content if request.can_read_body else None,
                allow_redirects=False,
            ) as upstream:
                response = web.StreamResponse(
                    status=upstream.status,
                    reason=upstream.reason,
                    headers=_end_to_end(upstream.headers),
                )
                await response.prepare(request)
                async for chunk in upstream.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except (aiohttp.ClientError, TimeoutError) as error:
            if response is not None and response.prepared:
                # Half an answer must not look like a whole one.
                if request.transport is not None:
                    request.transport.abort()
                return response
            _log.warning("%s %s: %s is away: %r", request.method, request.path, service, error)
            return _away(service)

    def _page(self, path: str) -> web.StreamResponse:
        file = self._file(path)
        if file is None and "." in path.rpartition("/")[2]:
            return _problem(404, "not_found", "There is no such page.")
        file = file or self._file("/index.html")
        if file is None:
            return _problem(503, "dashboard_not_built", "The dashboard has not been built.")
        caching = FOR_EVER if HASHED_ASSET.search(file.name) else "no-cache"
        return web.FileResponse(file, headers={hdrs.CACHE_CONTROL: caching})

    def _file(self, path: str) -> Path | None:
        """Answer the dashboard's file of that path; never one that is not the dashboard's."""
        try:
            file = (self._dashboard / path.lstrip("/")).resolve()
            return file if file.is_relative_to(self._dashboard) and file.is_file() else None
        except (OSError, ValueError):  # too long, or no path at all
            return None


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in headers.get(hdrs.CONNECTION, "").split(",")}
    return CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in HOP_BY_HOP and name.lower() not in named
    )


def _request_headers(request: web.Request, prefix: str) -> CIMultiDict[str]:
    headers = _end_to_end(request.headers)
    came_by = (*_values(headers, "X-Forwarded-For"), request.remote or "unknown")
    headers["X-Forwarded-For"] = ", ".join(came_by)
    headers["X-Forwarded-Proto"] = request.scheme
    headers["X-Forwarded-Host"] = request.host
    headers.pop("X-Forwarded-Prefix", None)
    if prefix:
        headers["X-Forwarded-Prefix"] = prefix
    return headers


def _values(headers: CIMultiDict[str], name: str) -> Iterable[str]:
    return headers.getall(name, ())


def _away(service: str) -> web.Response:
    name = service.replace("_", " ")
    response = _problem(
        503, f"{service}_unavailable", f"The {name} does not answer; sending it again is safe."
    )
    response.headers[hdrs.RETRY_AFTER] = "1"
    return response


def _problem(status: int, code: str, detail: str) -> web.Response:
    return web.json_response(
        {"type": "about:blank", "status": status, "code": code, "detail": detail},
        status=status,
        content_type="application/problem+json",
    )


async def serve(door: FrontDoor, port: int) -> None:
    """Serve until asked to end; requests under way are finished first."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner = web.AppRunner(
        door.application(),
        access_log=None,
        auto_decompress=False,  # the bytes belong to the service
        handler_cancellation=True,  # nobody listens to a stream any more: let it go
        shutdown_timeout=SHUTDOWN_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await ended.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """Run the front door as a process of its own."""
    parser = argparse.ArgumentParser(prog="embedded.front_door", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--read-service", type=URL, required=True)
    parser.add_argument("--write-service", type=URL, required=True)
    parser.add_argument("--dashboard", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    door = FrontDoor(
        read_service=given.read_service,
        write_service=given.write_service,
        dashboard=given.dashboard,
    )
    asyncio.run(serve(door, given.port))


if __name__ == "__main__":
    main()
