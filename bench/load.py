"""A load generator: keep-alive connections that each post as soon as they were answered."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Request = Callable[[], bytes | None]


@dataclass
class Measured:
    """What a load saw. Latencies are in seconds; `statuses` counts the answers by status."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def requests_per_second(self) -> float:
        """Answered requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency, in milliseconds, that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000


class _Connection(asyncio.Protocol):
    """Sends the next request when the last one's answer is whole."""

    def __init__(self, measured: Measured, request: Request, until: float) -> None:
        self._measured = measured
        self._request = request
        self._until = until
        self._received = b""
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        request = self._request() if self._sent <= self._until else None
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        status = int(head[9:12])
        self._received = b""
        self._measured.latencies.append(time.perf_counter() - self._sent)
        self._measured.statuses[status] = self._measured.statuses.get(status, 0) + 1
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if error is None:
            self.closed.set_result(None)
        else:
            self.closed.set_exception(error)


async def _run(port: int, connections: int, seconds: float, request: Request) -> Measured:
    measured = Measured()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: _Connection(measured, request, began + seconds), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    for _, connection in opened:
        await connection.closed
    measured.seconds = time.perf_counter() - began
    return measured


def run(port: int, connections: int, seconds: float, request: Request) -> Measured:
    """Post what `request` makes, on so many connections, for so many seconds or until None."""
    return asyncio.run(_run(port, connections, seconds, request))


def post(path: str, body: bytes) -> bytes:
    """A keep-alive request."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    """The same, without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
