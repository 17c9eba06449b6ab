"""The schedule: when each device reports."""

import asyncio
from itertools import pairwise

import pytest

from simulator.schedule import due, phase


class Time:
    """A clock that only moves when somebody sleeps; `jumps` are set at given instants."""

    def __init__(self, now: float, jumps: dict[float, float] | None = None) -> None:
        self.now = now
        self._jumps = sorted((jumps or {}).items())

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self._jumps and self.now >= self._jumps[0][0]:
            _, self.now = self._jumps.pop(0)


def reports(time: Time, until: float, devices: int = 3) -> list[tuple[int, float]]:
    async def collect() -> list[tuple[int, float]]:
        ticks = due(devices, 60.0, time.clock, until=until, sleep=time.sleep)
        return [tick async for tick in ticks]

    return asyncio.run(collect())


def test_once_an_interval_each() -> None:
    """Each device reports once an interval, at its own phase of it, in order of time."""
    told = reports(Time(1000.0), 1000.0 + 5 * 60)
    assert len(told) == 3 * 5
    assert [at for _, at in told] == sorted(at for _, at in told)
    for number, at in told:
        assert at % 60 == pytest.approx(phase(number) * 60)


def test_never_early() -> None:
    """A report is given when it falls due, not before, and the end is waited for."""
    time = Time(1000.0)

    async def check() -> None:
        async for _, at in due(3, 60.0, time.clock, until=1200.0, sleep=time.sleep):
            assert at <= time.now <= at + 0.1

    asyncio.run(check())
    assert time.now == pytest.approx(1200.0, abs=0.1)


def test_restart_continues_the_same_grid() -> None:
    """Stopped and started again, the reports fall on the instants they would have fallen on."""
    whole = reports(Time(1000.0), 2000.0)
    assert reports(Time(1000.0), 1500.0) + reports(Time(1500.0), 2000.0) == whole


def test_missed_reports_are_left_out() -> None:
    """After an hour's sleep of the machine no device makes up reports for it."""
    told = reports(Time(1000.0, {1090.0: 4690.0}), 5000.0)
    between = [at for _, at in told if 1130 < at < 4690]
    assert between == []
    assert sum(at > 4690 for _, at in told) == pytest.approx(3 * (5000 - 4690) / 60, abs=3)


def test_clock_set_back() -> None:
    """After the clock was set back an hour, reporting goes on at the new time."""
    told = reports(Time(5000.0, {5090.0: 1490.0}), 5200.0)
    assert any(1490 <= at < 1620 for _, at in told)
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(told)]
    assert max(gaps) <= 60
