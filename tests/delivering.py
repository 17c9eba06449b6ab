"""A device before a far side that answers on cue: what tests of delivering begin with."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator.backoff import Backoff
from simulator.client import Client
from simulator.device import Device
from simulator.dice import dice
from simulator.fleet import Vehicle
from simulator.habits import Habits
from simulator.tally import Tally
from simulator.tour import EPOCH

T = EPOCH + 1_000.0


class Rig:
    """A device on its own, with what it said and how long it would have slept."""

    def __init__(
        self, url: str, *habits: Habits, buffer: int = 100, timeout_s: float = 5.0
    ) -> None:
        self.lines: list[str] = []
        self.slept: list[float] = []
        self.tally = Tally(self.lines.append)
        self.client = Client(url, timeout_s=timeout_s, connections=4, clock=lambda: T)
        self.backoff = Backoff(dice(1), self.sleep)
        vehicles = [Vehicle(1, number, each) for number, each in enumerate(habits or [Habits()])]
        self.device = Device(vehicles, buffer, self.client, self.backoff, self.tally)

    async def sleep(self, seconds: float) -> None:
        """Note the time instead of letting it pass."""
        self.slept.append(seconds)


def with_rig(
    far_side: Any, check: Callable[[Rig], Awaitable[None]], *habits: Habits, **options: Any
) -> Rig:
    """Run a check with a device in front of the far side."""

    async def run() -> Rig:
        async with far_side.listening() as url:
            rig = Rig(url, *habits, **options)
            async with rig.client:
                await check(rig)
            return rig

    return asyncio.run(run())


def answering(status: int, body: Any = None, **headers: str) -> Any:
    """Cue a JSON answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


async def report_once(rig: Rig) -> None:
    """Record one heartbeat and deliver it."""
    rig.device.record(T)
    await rig.device.deliver()
