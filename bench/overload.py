"""`make bench-overload`: what is stored when twice as much comes as can be.

In turns the rate that can be sustained and twice that, whether it is answered or not, in batches of
500 from `CLIENTS` addresses, one of which sends as much as all others together. Prints the rate of
success, what was refused, the memory of the write service, and whether the log holds exactly what
was acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import click
import psutil

from bench import load, report
from bench.writing import heartbeat, register_fleet, write_service
from vehicle_tracker.event_log import EventLog

BATCH = 500
CLIENTS = 8
GREEDY = "127.0.0.2"
WAITS_S = 60.0
MOST_BATCHES = 200
"""How many a second are prepared: more than any machine so far has stored."""

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Open:
    """An open load: requests are sent when they are due, on as many connections as that takes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: dict[str, list[_Connection]] = {}
        self.statuses: dict[str, Counter[int]] = {}
        self.accepted = 0
        self.without_retry_after = 0

    async def run(self, requests: list[bytes], rate: float) -> float:
        """Send them at so many a second, half of them from `GREEDY`; how long it took in all."""
        began = time.perf_counter()
        tasks = []
        for number, request in enumerate(requests):
            await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
            client = GREEDY if number % 2 else f"127.0.1.{number // 2 % (CLIENTS - 1)}"
            tasks.append(asyncio.create_task(self._send(client, request)))
        await asyncio.wait_for(asyncio.gather(*tasks), WAITS_S)
        return time.perf_counter() - began

    def hang_up(self) -> None:
        """Forget all connections: each run has an event loop of its own."""
        self._idle.clear()

    async def _send(self, client: str, request: bytes) -> None:
        idle = self._idle.setdefault(client, [])
        if idle:
            try:
                await self._exchange(client, request, idle.pop())
            except (asyncio.IncompleteReadError, ConnectionError):
                pass  # Closed in the meantime: whoever is refused unread is hung up on.
            else:
                return
        where = ("127.0.0.1", self._port)
        opened = await asyncio.open_connection(*where, local_addr=(client, 0))
        await self._exchange(client, request, opened)

    async def _exchange(self, client: str, request: bytes, connection: _Connection) -> None:
        reader, writer = connection
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        status = int(head[9:12])
        self.statuses.setdefault(client, Counter())[status] += 1
        self.accepted += body.get("accepted", 0)
        self.without_retry_after += status == 503 and b"retry-after:" not in head  # noqa: PLR2004
        self._idle[client].append(connection)


def measure(seconds: float, rounds: int) -> dict[str, Any]:
    """The figures of one run, medians of its rounds; each is compared with before and after it."""
    numbers = count()

    def batch() -> bytes:
        items = [heartbeat(next(numbers)) for _ in range(BATCH)]
        return load.post("/api/v1/heartbeats", json.dumps(items).encode())

    def sustain() -> float:
        """Batches a second that are stored if no more come than are answered."""
        ready = iter([batch() for _ in range(int(seconds * MOST_BATCHES))])
        measured = load.run(service.port, 2 * CLIENTS, seconds, lambda: next(ready, None))
        return measured.requests_per_second

    with write_service() as service:
        register_fleet()
        process = psutil.Process(service.pid).children()[0]
        at_rest = process.memory_info().rss
        opened = Open(service.port)
        sustained, stored, stored_a_second = [sustain()], 0, []
        with EventLog(service.event_log_url) as log:
            for _ in range(rounds):
                rate = 2 * sustained[-1]
                requests = [batch() for _ in range(int(rate * seconds))]
                before = log.head()
                took = asyncio.run(opened.run(requests, rate))
                stored += log.head() - before
                stored_a_second.append((log.head() - before) / took)
                opened.hang_up()
                sustained.append(sustain())
        shares = [
            one / (BATCH * statistics.mean(around))
            for one, around in zip(stored_a_second, pairwise(sustained), strict=True)
        ]
        all_statuses = sum(opened.statuses.values(), Counter[int]())
        others = sum((c for who, c in opened.statuses.items() if who != GREEDY), Counter[int]())
        return {
            "sustained_per_s": BATCH * statistics.median(sustained),
            "stored_per_s": statistics.median(stored_a_second),
            "share_of_sustained": statistics.median(shares),
            "shares": shares,
            "statuses": dict(all_statuses),
            "statuses_of_the_greedy": dict(opened.statuses[GREEDY]),
            "statuses_of_the_others": dict(others),
            "refused_without_retry_after": opened.without_retry_after,
            "acknowledged": opened.accepted,
            "stored": stored,
            "rss_at_rest_mb": at_rest / 1e6,
            "rss_after_mb": process.memory_info().rss / 1e6,
        }


def _in_words(figure: Any) -> Any:
    if isinstance(figure, list):
        return ", ".join(map(_in_words, figure))
    if isinstance(figure, dict):
        return ", ".join(f"{count:,} x {status}" for status, count in figure.items())
    return f"{figure:,.2f}" if isinstance(figure, float) else figure


@click.command()
@click.option("--seconds", default=5.0, show_default=True, help="How long each load runs.")
@click.option("--rounds", default=3, show_default=True, help="Medians are of so many.")
@click.option("--out", type=click.Path(path_type=Path), default=report.RESULTS)
def main(seconds: float, rounds: int, out: Path) -> None:
    """Measure what is stored at twice the rate that can be sustained."""
    figures = measure(seconds, rounds)
    reached = ", ".join(f"{100 * share:.0f}" for share in sorted(figures["shares"])) + " %"
    rows = [report.row("stored at twice the sustainable rate", goal="80 % of it", reached=reached)]
    settings = {"seconds": seconds, "rounds": rounds, "batch": BATCH, "clients": CLIENTS}
    path = report.write("overload", {**figures, "rows": rows}, settings=settings, folder=out)
    said = {name.replace("_", " "): _in_words(figure) for name, figure in figures.items()}
    report.show("Twice the sustainable rate", said, path)
    if figures["acknowledged"] != figures["stored"]:
        raise click.ClickException("the log does not hold what was acknowledged")


if __name__ == "__main__":
    main()
