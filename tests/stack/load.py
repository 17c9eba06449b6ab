"""Gateways and dispatchers: heartbeats and searches without end, and a ledger of the answers."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import aiohttp

ADDRESS = "https://localhost"
PERIOD_S = 0.05
TIMEOUT_S = 20.0
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Ledger:
    """What was acknowledged, what was answered otherwise, and how long answers took."""

    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def heartbeats(self) -> int:
        """How many were acknowledged."""
        return sum(map(len, self.acknowledged.values()))

    def goes_on_after(self, heartbeats: int) -> bool:
        """Whether more were acknowledged since there were so many."""
        return self.heartbeats > heartbeats

    def p99_ms(self) -> float:
        """Of all answers."""
        return 1000 * sorted(self.seconds)[int(0.99 * (len(self.seconds) - 1))]


class Load(Thread):
    """Posts a heartbeat a vehicle and asks a search, every period, until it is told to end.

    Nothing is sent twice: what fails stays a failure.
    """

    def __init__(self, vins: list[str], searchers: int = 2) -> None:
        super().__init__(daemon=True)
        self.ledger = Ledger({vin: [] for vin in vins})
        self._searchers = searchers
        self._ends = False

    def __enter__(self) -> Ledger:
        """Begin."""
        self.start()
        return self.ledger

    def __exit__(self, *_: object) -> None:
        """Finish what is under way."""
        self._ends = True
        self.join(2 * TIMEOUT_S)

    def run(self) -> None:
        """Be all of them at once, on one thread."""
        asyncio.run(self._all())

    async def _all(self) -> None:
        async with client() as session:
            posting = [self._post(session, vin) for vin in self.ledger.acknowledged]
            asking = [self._ask(session) for _ in range(self._searchers)]
            await asyncio.gather(*posting, *asking)

    async def _post(self, session: aiohttp.ClientSession, vin: str) -> None:
        at = BEGIN + timedelta(microseconds=int(time.time() * 1e6) % 10**12)
        while not self._ends:
            at += timedelta(seconds=1)
            told = at.isoformat().replace("+00:00", "Z")
            body = {"vin": vin, "recorded_at": told}
            if await self._count("heartbeat", session.post("/api/v1/heartbeats", json=body), 202):
                self.ledger.acknowledged[vin].append(told)
            await asyncio.sleep(PERIOD_S)

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        while not self._ends:
            await self._count("search", session.get("/api/v1/vehicles?limit=5"), 200)
            await asyncio.sleep(PERIOD_S)

    async def _count(self, what: str, request: Any, expected: int) -> bool:
        began = time.monotonic()
        try:
            async with request as answer:
                said, status = await answer.text(), answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            said, status = repr(error), 0
        self.ledger.seconds.append(time.monotonic() - began)
        self.ledger.answers[f"{what} {status or 'no answer'}"] += 1
        if status != expected:
            at = datetime.now(UTC).time().isoformat("milliseconds")
            self.ledger.failures.append(f"{at} {what} {status} {said[:200]}")
        return status == expected


def client() -> aiohttp.ClientSession:
    """A client of the proxy, whose certificate is nobody's."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    connector = aiohttp.TCPConnector(ssl=trusting, limit=0)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    return aiohttp.ClientSession(ADDRESS, connector=connector, timeout=timeout)
