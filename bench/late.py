"""Verdicts a heartbeat of a fleet whose gateways fall behind: `python -m bench.late [VEHICLES]`.

The rule alone, without a log: all heartbeats are folded in the order in which they would be
received, and a monitor judges once a second. Each verdict costs as much as three heartbeats.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from write_service.connection_rule import SECOND
from write_service.watched_fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable

VEHICLES = 10_000
INTERVAL_S = 60
LIMIT_S = 120
BEHIND_S = 150
MINUTES = 20
MINUTE = 60 * SECOND
ALL = sys.maxsize


def in_time(_: float) -> float:
    """Nobody waits."""
    return 0


def by_and_by(at: float) -> float:
    """From the third minute on the tracker takes half of what comes, then all of it again."""
    return min(max(0, at - 3 * INTERVAL_S), BEHIND_S)


def at_once(at: float) -> float:
    """From the third minute on nobody gets through, then all do, in their turn."""
    return 0 if at < 3 * INTERVAL_S else BEHIND_S


def main() -> None:
    """Print what follows from each course of things, minute by minute."""
    vehicles = int(sys.argv[1]) if len(sys.argv) > 1 else VEHICLES
    for course in (in_time, by_and_by, at_once):
        began = time.process_time()
        verdicts = _verdicts(vehicles, course)
        took = (time.process_time() - began) / (vehicles * MINUTES)
        shown = " ".join(f"{verdicts.get(n, 0) / vehicles:.2f}" for n in range(MINUTES))
        print(f"{course.__name__}: {sum(verdicts.values()) / vehicles / MINUTES:.3f} a heartbeat")
        print(f"  by the minute in which they were recorded: {shown}; {1e6 * took:.1f} µs each")


def _verdicts(vehicles: int, late_s: Callable[[float], float]) -> dict[int, int]:
    """How many followed in each minute, but for a vehicle's first."""
    fleet = Fleet(LIMIT_S)
    vins = [f"YS2R4X2000{number:07d}" for number in range(vehicles)]
    began = 1_000_000 * SECOND
    looks_at = began
    found: dict[int, int] = {}
    for number in range(vehicles * MINUTES):
        after = number * MINUTE // vehicles
        recorded = began + after
        received = recorded + int(SECOND * late_s(after / SECOND))
        while looks_at < received:
            fleet.passed(looks_at, ALL)
            looks_at += SECOND
        fleet.heard(vins[number % vehicles], recorded, received)
        if fleet.told and number >= vehicles:
            found[after // MINUTE] = found.get(after // MINUTE, 0) + len(fleet.told)
        fleet.told = []
    return found


if __name__ == "__main__":
    main()
