"""Many open streams in one process of its own: when each of them heard what."""

from __future__ import annotations

import asyncio
import re
import time
from multiprocessing import get_context
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import TracebackType

_PROBE = re.compile(rb'"odometer_km":(\d+)\.')


class _Listener(asyncio.Protocol):
    def __init__(self, request: bytes, heard: list[tuple[int, float]]) -> None:
        self._request = request
        self._heard = heard
        self._rest = b""
        self._known: set[int] = set()
        self.opened = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        at = time.time()
        if not self.opened.done():
            self.opened.set_result(data)
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            probe = _PROBE.search(event)
            if probe and int(probe[1]) not in self._known:
                self._known.add(int(probe[1]))
                self._heard.append((int(probe[1]), at))


async def _listen(port: int, path: str, count: int, told: Connection) -> None:
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    heard: list[tuple[int, float]] = []
    opened = [
        await loop.create_connection(lambda: _Listener(request, heard), "127.0.0.1", port)
        for _ in range(count)
    ]
    for _, listener in opened:
        await listener.opened
    told.send(count)
    await loop.run_in_executor(None, told.recv)
    told.send(heard)


def _run(port: int, path: str, count: int, told: Connection) -> None:
    asyncio.run(_listen(port, path, count, told))


class Listeners:
    """So many streams of one path, open while the context is."""

    def __init__(self, port: int, path: str, count: int) -> None:
        context = get_context("spawn")
        self._told, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(port, path, count, theirs))

    def __enter__(self) -> Self:
        """All are open when this returns."""
        self._process.start()
        self._told.recv()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        self._process.terminate()
        self._process.join()

    def heard(self) -> list[tuple[int, float]]:
        """The number of each probe that was heard by one of them, and when."""
        self._told.send(None)
        heard: list[tuple[int, float]] = self._told.recv()
        return heard
