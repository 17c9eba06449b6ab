"""Processes that are killed with -9 at random moments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.chaos.truth import check_truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.chaos.deployment import Deployment
    from vehicle_tracker.settings import Settings


@pytest.mark.parametrize(("workers", "rounds"), [(1, 1), (2, 1)])
def test_kill_9_of_each_process(
    deploy: Callable[..., Deployment],
    settings: Settings,
    dice: Random,
    say: Callable[[str], None],
    workers: int,
    rounds: int,
) -> None:
    """Whichever process is killed, at whatever moment: nothing is lost, doubled or stuck."""
    deployment = deploy(workers=workers)
    with deployment.under_load(dice) as ledger:
        for _ in range(rounds):
            victims = deployment.victims(dice)
            for victim in dice.sample(victims, len(victims)):
                ledger.await_deliveries(dice.randint(1, 80))
                began = time.monotonic()
                victim.kill()
                victim.start()
                ledger.await_deliveries(1)
                took_s = time.monotonic() - began
                say(f"  killed {victim.name}; heartbeats answered again after {took_s:.1f} s")
    check_truth(deployment, settings, say)
