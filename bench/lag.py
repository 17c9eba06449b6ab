"""How far each read model is behind the log, sampled, in seconds."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from bench.report import percentiles

TIMEOUT_S = 10.0


@dataclass
class Lag:
    """Of the read models of these names, as `/api/v1/projections` says; call `sample` now and then.

    A lag is the age of the oldest heartbeat that is in the log and not in the read model.
    """

    port: int
    names: tuple[str, ...]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    at: list[float] = field(default_factory=list)
    missed: int = 0
    """How often nothing was answered: the read service may be loaded, too."""

    def sample(self) -> None:
        """Ask once."""
        try:
            items = self._followed()
        except OSError:
            self.missed += 1
            return
        self.at.append(time.monotonic())
        for one in items:
            self.seconds.setdefault(one["name"], []).append(one["lag_seconds"])

    def events_behind(self) -> int | None:
        """By how many events the one that is most behind is; None if nothing was answered."""
        try:
            behind: int = max(one["head"] - one["position"] for one in self._followed())
        except OSError:
            self.missed += 1
            return None
        return behind

    def parked(self) -> dict[str, int]:
        """How many events each could not fold."""
        return {one["name"]: one["parked"] for one in self._followed()}

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Median, p99 and the most of each."""
        return {name: percentiles(values) for name, values in self.seconds.items()}

    def _followed(self) -> list[dict[str, Any]]:
        return [one for one in projections(self.port) if one["name"] in self.names]


def projections(port: int) -> list[dict[str, Any]]:
    """Each read model: `name`, `position`, `head`, `lag_seconds`, `parked`."""
    url = f"http://127.0.0.1:{port}/api/v1/projections"
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        items: list[dict[str, Any]] = json.load(answer)["items"]
    return items
