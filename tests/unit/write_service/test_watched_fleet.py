"""A fleet is each of its vehicles: alarms only say which of them to look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.domain.connection import ConnectionEvent, VehicleDisconnected
from vehicle_tracker.domain.values import from_microseconds
from write_service.connection_rule import SECOND, Watch
from write_service.watched_fleet import Fleet

VINS = [f"YS2R4X2000539940{n}" for n in range(4)]
LIMIT_S = 12
MOST = 1_000

steps = st.one_of(
    st.tuples(st.just("heard"), st.sampled_from(VINS), st.integers(-60, 10)),
    st.tuples(st.just("limit"), st.sampled_from(VINS), st.sampled_from([2, 12, 90])),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 40)),
    st.tuples(st.just("resumed"), st.just(""), st.integers(0, 30)),
)


class Both:
    """A fleet, and its vehicles one by one, to which the same happens."""

    def __init__(self) -> None:
        self.fleet = Fleet(LIMIT_S)
        self.watches = {vin: Watch(vin, LIMIT_S) for vin in VINS}
        self.expected: list[ConnectionEvent] = []
        self._now = 1_000
        self._heard: set[tuple[str, int]] = set()

    def heard(self, vin: str, age: int) -> None:
        recorded = self._now + age
        if (vin, recorded) not in self._heard:
            self._heard.add((vin, recorded))
            self.fleet.heard(vin, recorded * SECOND, self._now * SECOND)
            self.expected += self.watches[vin].heard(recorded * SECOND, self._now * SECOND)

    def limit(self, vin: str, limit_s: int) -> None:
        self.fleet.limit_vehicle(vin, limit_s, from_microseconds(self._now * SECOND))
        if self.watches[vin].limit_s != limit_s:
            self.expected += self.watches[vin].limited(limit_s, self._now * SECOND)

    def resumed(self, _: str, after: int) -> None:
        at = from_microseconds(self._now * SECOND)
        self.fleet.resumed(at - timedelta(seconds=after), at)
        for vin in self.fleet.vehicles:
            since = (self._now - after) * SECOND
            self.expected += self.watches[vin].resumed(since, self._now * SECOND)

    def wait(self, _: str, seconds: int) -> None:
        self._now += seconds
        until = self._now * SECOND
        due = any((one.due or until) < until for one in self.watches.values())
        assert self.fleet.is_due(until) == due
        for one in self.watches.values():
            self.expected += one.passed(until)
        while self.fleet.is_due(until):
            self.fleet.passed(until, len(self.fleet.told) + 1)


@given(st.lists(steps, max_size=40))
def test_a_fleet_tells_what_its_vehicles_would(history: list[tuple[str, str, int]]) -> None:
    """Whatever is heard, changed and waited for: no alarm is lost, and none goes off early."""
    both = Both()
    for what, vin, value in history:
        getattr(both, what)(vin, value)
    both.wait("", 1_000)
    assert len(both.fleet.told) == len(both.expected)
    assert set(both.fleet.told) == set(both.expected)


def test_a_customer_without_vehicles_may_have_a_limit() -> None:
    """Its limit holds for whatever vehicle belongs to it later, until it is taken away."""
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    fleet = Fleet(LIMIT_S)
    customer_id = uuid4()
    fleet.limit_customer(customer_id, 5, at)
    fleet.belongs(VINS[0], customer_id, at)
    fleet.heard(VINS[0], 0, 0)
    fleet.heard(VINS[1], 0, 0)
    fleet.passed(6 * SECOND, MOST)
    silent = [one for one in fleet.told if isinstance(one, VehicleDisconnected)]
    assert silent == [VehicleDisconnected(VINS[0], from_microseconds(0), 5)]
    fleet.limit_customer(customer_id, None, at)
    fleet.limit_customer(uuid4(), None, at)
    assert fleet.vehicles[VINS[0]].watch.limit_s == LIMIT_S
