"""Dashboards that search through HTTP, each again some seconds after its last answer."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from bench.fleet import vin
from bench.keep_alive import KeepAlive
from bench.seeding import DEPOTS, NAMES, plate

if TYPE_CHECKING:
    from collections.abc import Callable

OK = 200
FROM_PAUSE, TO_PAUSE = 0.5, 1.5


@dataclass
class Asked:
    """Seconds that each kind of search took, and how many failed by status."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)

    @property
    def all(self) -> list[float]:
        """Of any kind."""
        return [one for some in self.seconds.values() for one in some]


class Searching(NamedTuple):
    """So many dashboards search for so long, each about every so many seconds.

    `silent_s` is how long whoever they ask for has been silent: longer than the limit, as what the
    index cannot answer is another bench's.
    """

    port: int
    vehicles: int
    dashboards: int
    every_s: float
    seconds: float
    silent_s: int


def search(
    say: Callable[[int], None],  # noqa: ARG001 # as work beside is called
    how: Searching,
) -> Asked:
    """What they were answered."""
    return asyncio.run(_search(how))


async def _search(how: Searching) -> Asked:
    asked = Asked()
    until = time.monotonic() + how.seconds
    dice = (random.Random(n) for n in range(how.dashboards))  # noqa: S311
    await asyncio.gather(*(_dashboard(how, one, until, asked) for one in dice))
    return asked


async def _dashboard(how: Searching, dice: random.Random, until: float, asked: Asked) -> None:
    connection = KeepAlive(how.port)
    pause = how.every_s * dice.random()
    while time.monotonic() + pause < until:
        await asyncio.sleep(pause)
        kind, query = question(dice, how)
        path = quote(f"/api/v1/vehicles?{query}", safe="/?&=,.-_")
        began = time.perf_counter()
        answer = await connection.get(path)
        took = time.perf_counter() - began
        if answer.status == OK:
            asked.seconds.setdefault(kind, []).append(took)
        else:
            asked.failed[answer.status] = asked.failed.get(answer.status, 0) + 1
        pause = how.every_s * dice.uniform(FROM_PAUSE, TO_PAUSE)
    connection.close()


def question(dice: random.Random, how: Searching) -> tuple[str, str]:
    """What a dispatcher asks: its kind, and the query."""
    number = dice.randrange(how.vehicles)
    south, west = dice.randrange(55, 69), dice.randrange(11, 24)
    kinds = {
        "first page": "limit=50",
        "a plate's beginning": f"q={plate(number)[:3]}",
        "a VIN": f"q={vin(number)}",
        "a customer, two words": f"q={dice.choice(NAMES)} {dice.choice(NAMES)}",
        "status and depot": f"status=disconnected&label.depå={dice.choice(DEPOTS)}",
        "silent for longer": f"silent_for=PT{how.silent_s}S&sort=-last_heartbeat_at",
        "bbox of a town": f"bbox={west}.2,{south}.3,{west}.7,{south}.5",
    }
    return dice.choice(list(kinds.items()))
