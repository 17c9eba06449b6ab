"""Pages of the log that are delivered again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from tests.chaos.truth import check_truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.chaos.deployment import Deployment
    from vehicle_tracker.settings import Settings

# Not trips: a row says which page wrote it last, and pages differ. `check_truth` asks for them.
TABLES = ("customer", "vehicle", "connections", "fleet_size", "parked_event")


def test_pages_are_delivered_again(
    deploy: Callable[..., Deployment],
    settings: Settings,
    dice: Random,
    say: Callable[[str], None],
) -> None:
    """A follower that is set back, while it works or not, tells the same story again."""
    deployment = deploy()
    with deployment.under_load(dice) as ledger:
        for _ in range(3):
            ledger.await_deliveries(dice.randint(20, 120))
            _set_back(settings, dice.random())
    check_truth(deployment, settings, say)

    before = _rows(settings)
    (follower,) = deployment.followers
    follower.kill()
    for page in ("1", "2000"):
        _set_back(settings, dice.uniform(0.7, 1) if page == "1" else 0)
        again = deployment.follower(f"follower-of-{page}", FOLLOWER_PAGE=page)
        again.start()
        check_truth(deployment, settings, say)
        again.end()
        assert _rows(settings) == before
    follower.start()


def _set_back(settings: Settings, share: float) -> None:
    """Let the follower forget all but a share of what it has folded; its documents stay."""
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("UPDATE projection SET position = (position * %s)::bigint", (share,))


def _rows(settings: Settings) -> list[Any]:
    with psycopg.connect(settings.database_url) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608
            for table in TABLES
        ]
