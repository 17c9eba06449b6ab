"""How many vehicles are in which status, as a search says, and whether the log says the same."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

from vehicle_tracker.domain.values import to_microseconds, utc_now

if TYPE_CHECKING:
    from bench.truth import Truth

SECOND_US = 1_000_000
DECLARED_WITHIN_S = 2
"""A search by Elasticsearch tells silence when it was declared: a second after, and a refresh."""


class Statuses(NamedTuple):
    """What a search told, between two instants in microseconds."""

    told: dict[str, int]
    total: int
    from_us: int
    to_us: int

    def errors(self, truth: Truth, *, by_verdicts: bool) -> list[str]:
        """What is told wrongly. The silent fall out of `connected` while it is asked for.

        `by_verdicts`: Elasticsearch answered, whose statuses are what the monitor judged.
        """
        count = truth.connected.by_verdicts if by_verdicts else truth.connected.by_heartbeats
        most = count(self.from_us - DECLARED_WITHIN_S * SECOND_US)
        least = count(self.to_us)
        found = []
        if self.total != truth.registered.count(1):
            found.append(f"{self.total:,} found of {truth.registered.count(1):,} registered")
        if not least <= self.told.get("connected", 0) <= most:
            found.append(f"{self.told} told, connected are {least:,} to {most:,}")
        return found


def statuses(port: int, at_least: int) -> Statuses:
    """Ask a read service, once its read models are at a position."""
    url = f"http://127.0.0.1:{port}/api/v1/vehicles?limit=1&at_least={at_least}"
    before = to_microseconds(utc_now())
    with urllib.request.urlopen(url) as answer:
        told = json.load(answer)
    return Statuses(told["facets"]["status"], told["total"], before, to_microseconds(utc_now()))
