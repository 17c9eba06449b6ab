"""A lean HTTP connection that is kept open: the load must cost less than what it loads."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

HOST = "127.0.0.1"
LARGEST_HEAD = 2**20


class Answer(NamedTuple):
    """What came back. `retry_after_s` is there where the server said so."""

    status: int
    body: bytes
    retry_after_s: float | None


class KeepAlive:
    """One connection to a port of this machine; opened again when the other side has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        """Ask; an answer that does not come is asked for again on another connection."""
        return await self._ask(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())

    async def post(self, path: str, body: bytes) -> Answer:
        """Post JSON; what is not answered is posted again, as a gateway would."""
        head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        return await self._ask(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def _ask(self, request: bytes) -> Answer:
        while True:
            try:
                if self._streams is None:
                    self._streams = await asyncio.open_connection(
                        HOST, self._port, limit=LARGEST_HEAD
                    )
                reader, writer = self._streams
                writer.write(request)
                return await _answer(reader)
            except (OSError, EOFError):
                self.close()
                await asyncio.sleep(0.1)

    def close(self) -> None:
        """Close it."""
        if self._streams:
            self._streams[1].close()
        self._streams = None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *lines = head.split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (li.partition(":") for li in lines)
    }
    body = await reader.readexactly(int(headers["content-length"]))
    retry = headers.get("retry-after")
    return Answer(int(status.split(" ", 2)[1]), body, float(retry) if retry else None)
