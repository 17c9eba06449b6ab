"""PostgreSQL that is restarted while everything works."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.chaos.truth import check_truth
from tests.chaos.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.chaos.deployment import Deployment
    from vehicle_tracker.settings import Settings

AWAY_S = (0.0, 4.0)
BACK_WITHIN_S = 5.0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_postgresql_is_restarted(
    deploy: Callable[..., Deployment],
    settings: Settings,
    dice: Random,
    say: Callable[[str], None],
    how: signal.Signals,
) -> None:
    """While PostgreSQL is away both services say so; after it they work by themselves."""
    deployment = deploy()
    ports = (deployment.write_ports[0], deployment.read_port)
    with deployment.under_load(dice) as ledger:
        for away_s in AWAY_S:
            ledger.await_deliveries(dice.randint(50, 100))
            deployment.database.shut_down(how)
            time.sleep(away_s)
            for port in ports if away_s else ():
                with closing(Wire(port)) as wire:
                    status, answer = wire.ask("GET", "/health/ready")
                    assert (status, b"event_log" in answer) == (503, True), answer
            deployment.database.start()
            began = time.monotonic()
            ledger.await_deliveries(1, BACK_WITHIN_S)
            say(f"  heartbeats answered {time.monotonic() - began:.1f} s after it was back")
    assert check_truth(deployment, settings, say) < BACK_WITHIN_S
