"""When each device reports: once an interval, each at a time of its own."""

from asyncio import sleep
from collections.abc import AsyncIterator, Awaitable, Callable
from math import floor, inf, sqrt

Clock = Callable[[], float]
"""Gives the time in seconds of Unix time."""

Sleep = Callable[[float], Awaitable[None]]

# A report may be so late. What falls due meanwhile is sent in one go: at 167 a second, waking up
# for each cost half as much processor time again.
_STEP_S = 0.05
_GOLDEN = (sqrt(5) - 1) / 2


def phase(number: int) -> float:
    """Give the share of the interval (0 to 1) after which device `number` reports.

    Multiples of the golden ratio, modulo 1, lie evenly however many there are (Weyl, Knuth 6.4).
    """
    return number * _GOLDEN % 1


async def due(
    devices: int,
    interval_s: float,
    clock: Clock,
    *,
    until: float = inf,
    sleep: Sleep = sleep,
) -> AsyncIterator[tuple[int, float]]:
    """Wait for each report that falls due before `until`: the device's number and the instant.

    The instants are fixed by number and interval alone, so they are the same after a restart. After
    a pause of the machine the missed ones are left out: a device that is off records nothing.
    """
    phases = sorted((phase(number) * interval_s, number) for number in range(devices))
    not_before = clock()
    turn = floor(not_before / interval_s)
    while True:
        for after_s, number in phases:
            at = turn * interval_s + after_s
            if at < not_before:
                continue
            wait = min(at, until) - clock()
            if wait > 2 * interval_s:
                break  # the clock was set back
            # A late one sleeps as well, for no time: the deliveries want their turn.
            await sleep(max(wait, _STEP_S) if wait > 0 else 0.0)
            if at >= until:
                return
            yield number, at
        now = clock()
        current = floor(now / interval_s)
        if current in {turn, turn + 1}:
            turn += 1
        else:
            # The clock was set, or the machine slept.
            turn, not_before = current, now
