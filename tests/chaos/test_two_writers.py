"""Two write services on one log, and a fleet that changes under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.truth import check_truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.chaos.deployment import Deployment
    from vehicle_tracker.settings import Settings


def test_two_write_services(
    deploy: Callable[..., Deployment],
    settings: Settings,
    dice: Random,
    say: Callable[[str], None],
) -> None:
    """The same heartbeats through both, late and repeated, of vehicles that come and go: each once.

    None of a vehicle out of use, none refused of one that never was: neither service is behind.
    """
    deployment = deploy(write_services=2)
    with deployment.under_load(dice, dispatchers=4) as ledger:
        ledger.await_deliveries(800, within_s=60)
    assert ledger.repeats > 1_000
    assert len(ledger.refused) > 100
    check_truth(deployment, settings, say)
