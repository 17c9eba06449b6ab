"""Gateways that post a fleet's heartbeats when they are due, whatever the tracker does meanwhile.

That is an open loop: a request that finds all gateways busy waits, and its latency counts from when
it was due. What is due and not yet sent when the time is over is counted, too.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from math import ceil, inf
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bench.fleet import Rounds
from bench.keep_alive import KeepAlive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GATEWAYS = 16
LEAD_S = 1.0
SAYS_EVERY_S = 0.5
ACCEPTED, OVERLOADED = 202, 503
PATH = "/api/v1/heartbeats"


class Told(msgspec.Struct):
    """What an answer says."""

    accepted: int
    duplicates: int
    rejected: list[object]
    position: int


@dataclass
class Posted:
    """What was posted and answered so far, in heartbeats unless it says otherwise."""

    requests: int = 0
    fresh: int = 0
    late: int = 0
    again: int = 0
    """Those posted once before, so that a duplicate is expected of each."""
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    refusals: int = 0
    """Requests answered 503, each of which was posted again."""
    not_sent: int = 0
    """Due requests that were not sent when the time was over."""
    seconds: float = 0.0
    """From when the first was due to when the last was answered."""
    latencies: list[float] = field(default_factory=list)
    """Seconds from when each was due."""
    service: list[float] = field(default_factory=list)
    """Seconds from when each was sent."""

    @property
    def is_whole(self) -> bool:
        """Whether every heartbeat was taken, the new ones as new, the repeated as duplicates."""
        return (self.accepted, self.duplicates) == (self.fresh + self.late, self.again)


class Posting(NamedTuple):
    """To whom, of how large a fleet, how many new heartbeats a second, and for how long.

    Or the `whole` of what is due in that time, however long it takes.
    """

    port: int
    vehicles: int
    rate: float
    seconds: float
    whole: bool = False


def post(say: Callable[[Posted], None], how: Posting) -> Posted:
    """Post; `say` hears of it before, then twice a second, in short."""
    rounds = Rounds(how.vehicles, how.rate, time.time() + LEAD_S)
    say(Posted())
    return asyncio.run(_post(say, how, rounds))


async def _post(say: Callable[[Posted], None], how: Posting, rounds: Rounds) -> Posted:
    posted = Posted()
    requests = ceil(how.seconds / rounds.spacing_s)
    numbers = iter(range(requests))
    ends = inf if how.whole else rounds.begins + how.seconds
    saying = asyncio.create_task(_say(say, posted))
    gateways = [
        _gateway(KeepAlive(how.port), rounds, numbers, ends, posted) for _ in range(GATEWAYS)
    ]
    await asyncio.gather(*gateways)
    saying.cancel()
    posted.seconds = time.time() - rounds.begins
    posted.not_sent = requests - posted.requests
    return posted


async def _say(say: Callable[[Posted], None], posted: Posted) -> None:
    while True:
        await asyncio.sleep(SAYS_EVERY_S)
        say(Posted(posted.requests, accepted=posted.accepted, refusals=posted.refusals))


async def _gateway(
    connection: KeepAlive, rounds: Rounds, numbers: Iterator[int], ends: float, posted: Posted
) -> None:
    while time.time() < ends and (number := next(numbers, None)) is not None:
        due = rounds.due(number)
        await asyncio.sleep(due - time.time())
        sent = rounds.request(number)
        posted.requests += 1
        posted.fresh += sent.fresh
        posted.late += sent.late
        posted.again += sent.duplicates
        began = time.time()
        told = await _told(connection, sent.body, posted)
        posted.accepted += told.accepted
        posted.duplicates += told.duplicates
        posted.rejected += len(told.rejected)
        posted.latencies.append(time.time() - due)
        posted.service.append(time.time() - began)
    connection.close()


async def _told(connection: KeepAlive, body: bytes, posted: Posted) -> Told:
    while (answer := await connection.post(PATH, body)).status == OVERLOADED:
        posted.refusals += 1
        await asyncio.sleep(answer.retry_after_s or 1.0)
    if answer.status != ACCEPTED:
        raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")
    return msgspec.json.decode(answer.body, type=Told)
