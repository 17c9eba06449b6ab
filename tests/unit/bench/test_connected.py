"""The bench counts who is connected as the connection monitor does, by other means."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.connected import Connected
from vehicle_tracker.domain.values import from_microseconds
from write_service.connection_rule import SECOND
from write_service.watched_fleet import Fleet

LIMIT_S = 40
VEHICLES = 120
BEGAN = 1_000_000
MOST = 1_000_000

steps = st.one_of(
    st.tuples(st.just("round"), st.integers(0, 90), st.integers(0, VEHICLES)),
    st.tuples(st.just("away"), st.integers(11, 90), st.just(0)),
)


@given(st.lists(steps, max_size=12), st.integers(0, 120))
def test_it_counts_whom_the_monitor_holds_for_connected(
    history: list[tuple[str, int, int]], later: int
) -> None:
    """However late heartbeats came, and whenever nobody listened: the same vehicles are silent."""
    connected, fleet = Connected(VEHICLES, LIMIT_S), Fleet(LIMIT_S)
    recorded, now, before = BEGAN, BEGAN, BEGAN
    for number in range(VEHICLES):
        connected.hear(number, now * SECOND, now * SECOND)
        fleet.heard(str(number), now * SECOND, now * SECOND)
    for what, seconds, silent in history:
        recorded += 15
        if what == "round":
            now = max(now, recorded + seconds)
            fleet.passed(now * SECOND, MOST)
            for number in range(silent, VEHICLES):
                connected.hear(number, recorded * SECOND, now * SECOND)
                fleet.heard(str(number), recorded * SECOND, now * SECOND)
            before = now
        else:
            now += seconds
            connected.resume(before * SECOND, now * SECOND)
            since, until = (from_microseconds(at * SECOND) for at in (before, now))
            fleet.resumed(since, until)
    end = (now + later) * SECOND
    fleet.passed(end, MOST)
    held = [one for one in fleet.vehicles.values() if one.watch.ended is None]
    assert connected.by_verdicts(end) == len(held)


def test_without_verdicts_only_heartbeats_count() -> None:
    """A limit after its last heartbeat a vehicle is connected, a microsecond later it is not."""
    connected = Connected(2, LIMIT_S)
    connected.hear(0, 0, 0)
    assert connected.by_heartbeats(LIMIT_S * SECOND) == 1
    assert connected.by_heartbeats(LIMIT_S * SECOND + 1) == 0
