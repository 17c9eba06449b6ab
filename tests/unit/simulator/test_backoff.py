"""Waiting: ever longer, never sooner than the server asks for, and never for ever."""

import asyncio
from typing import Any

import pytest

from simulator.backoff import Backoff, UnavailableError, retry_after_s
from simulator.dice import dice
from tests.delivering import T, answering, report_once, with_rig


@pytest.mark.parametrize("header", ["30", "Thu, 01 Jan 2026 00:17:10 GMT"])
def test_retry_after_is_honoured(far_side: Any, header: str) -> None:
    """A device never comes back before the time that `Retry-After` names."""
    far_side.cues = [answering(503, {"code": "overloaded"}, **{"Retry-After": header})]
    rig = with_rig(far_side, report_once)
    assert 30 <= rig.slept[0] <= 31
    assert rig.tally.accepted == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("12", 12),
        ("-3", 0),
        ("soon", 0),
        ("", 0),
        ("²", 0),
        ("999999999999", 3600),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 00:17:00 GMT", 20),
    ],
)
def test_retry_after_is_read(header: str, seconds: float) -> None:
    """`Retry-After` is read in seconds or as a date; nonsense asks for no wait, nor for ever."""
    assert retry_after_s(header, lambda: T) == seconds


def test_backoff_doubles_up_to_its_ceiling() -> None:
    """Waits are spread from nought to a ceiling that doubles up to the longest."""

    async def check() -> list[float]:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 2_000:
                raise InterruptedError

        async def fail() -> None:
            raise UnavailableError("503")

        with pytest.raises(InterruptedError):
            await Backoff(dice(1), sleep).retrying(lambda _: None)(fail)
        return slept

    slept = asyncio.run(check())
    for attempt, seconds in enumerate(slept[:6]):
        assert 0 <= seconds <= 2**attempt
    assert max(slept) == pytest.approx(60, abs=0.5)
    assert min(slept[6:]) == pytest.approx(0, abs=0.5)
