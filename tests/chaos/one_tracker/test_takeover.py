"""Two followers of one name: one works, the other waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from projections.catalog import CUSTOMER_VEHICLES
from tests.chaos.deployment import STARTS_WITHIN_S
from tests.chaos.truth import check_truth
from tests.running import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from tests.chaos.deployment import Deployment
    from tests.chaos.running import Running
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

TAKES_OVER_WITHIN_S = 5.0
HOLDER = (
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND pg_locks.objsubid = 1"
    " AND (classid::bigint << 32 | objid::bigint) = hashtextextended(%s, 0)"
)
POSITION = "SELECT position FROM projection WHERE name = %s"
STANDS_BY = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND query LIKE %s LIMIT 1"
CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"


class Followers:
    """The followers of a deployment, and which of them works."""

    def __init__(
        self, followers: list[Running], log: EventLog, connection: psycopg.Connection
    ) -> None:
        self._followers = followers
        self._log = log
        self.connection = connection

    def working(self) -> Running:
        """The one that holds the lock of the name, once one does."""
        wait_for(self._holder, TAKES_OVER_WITHIN_S)
        return next(one for one in self._followers if one.name == self._holder())

    def await_stand_by(self) -> None:
        """Wait until each that does not work waits for the lock: one that still starts is none."""
        waits = "%pg_try_advisory_lock%"
        for one in self._followers:
            wait_for(
                lambda name=one.name: name == self._holder() or self._one(STANDS_BY, name, waits),
                STARTS_WITHIN_S,
            )

    def takes_over_from(self, gone: Running) -> float:
        """How long it takes until another one has stored what is in the log now."""
        began = time.monotonic()
        head = self._log.head()
        wait_for(
            lambda: self._holder() not in (None, gone.name) and self._position() >= head,
            TAKES_OVER_WITHIN_S,
        )
        return time.monotonic() - began

    def _holder(self) -> object:
        return self._one(HOLDER, f"projection {CUSTOMER_VEHICLES.name}")

    def _position(self) -> int:
        return int(self._one(POSITION, CUSTOMER_VEHICLES.name))

    def _one(self, statement: str, *parameters: object) -> object:
        row = self.connection.execute(statement, parameters).fetchone()
        return row[0] if row else None


@pytest.fixture(scope="module")
def how() -> dict[str, int]:
    return {"followers": 2}


@pytest.fixture
def followers(
    deployment: Deployment, event_log: EventLog, settings: Settings
) -> Iterator[Followers]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield Followers(deployment.followers, event_log, connection)


def test_the_other_takes_over(
    deployment: Deployment,
    followers: Followers,
    settings: Settings,
    dice: Random,
    say: Callable[[str], None],
) -> None:
    """When the follower that works is killed with -9, the one standing by has caught up in 5 s."""
    with deployment.under_load(dice) as ledger:
        for _ in range(2):
            followers.await_stand_by()
            ledger.await_deliveries(dice.randint(50, 100))
            working = followers.working()
            working.kill()
            say(f"  {working.name} was replaced in {followers.takes_over_from(working):.1f} s")
            working.start()
    check_truth(deployment, settings, say)


def test_one_that_was_replaced_wakes_up(
    deployment: Deployment,
    followers: Followers,
    settings: Settings,
    dice: Random,
    say: Callable[[str], None],
) -> None:
    """A follower that hung, was cut off and replaced stores nothing old when it goes on."""
    with deployment.under_load(dice) as ledger:
        for _ in range(2):
            followers.await_stand_by()
            ledger.await_deliveries(dice.randint(50, 100))
            working = followers.working()
            working.freeze()
            followers.connection.execute(CUT_OFF, (working.name,))
            say(f"  {working.name} was replaced in {followers.takes_over_from(working):.1f} s")
            ledger.await_deliveries(dice.randint(50, 100))
            working.thaw()
            ledger.await_deliveries(50)
            assert followers.working() is not working
    check_truth(deployment, settings, say)
