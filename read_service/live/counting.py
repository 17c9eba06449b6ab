"""The counts of a search, told to who listens: computed once for all who ask the same."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from read_service.items import counts_of
from read_service.live.listener import by_query
from read_service.live.news import event
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import TrackerError
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.vehicle_search.model import VehicleQuery
    from read_service.live.listener import Listener
    from read_service.models import ReadModels

LEAST_S = 1.0
MOST_S = 10.0
"""Counts are told at most as often as the one while they change, and as the other if not."""

IDLE_S = 0.1
SHARE = 4
"""A quarter of a thread's time at most: the more is asked, the rarer it is counted."""


@dataclass(slots=True)
class _Counted:
    """What was counted last of a query, of which position of the log, and who was told."""

    counted_at: float = float("-inf")
    told_at: float = float("-inf")
    position: int = -1
    counts: Any = None
    told: set[Listener] = field(default_factory=set)

    def due_s(self, listeners: Sequence[Listener], now: float) -> float:
        """For how long it is due; nothing or less: it is not."""
        position = max(one.outbox.position for one in listeners)
        changed = position != self.position or not self.told.issuperset(listeners)
        return now - self.counted_at - (LEAST_S if changed else MOST_S)


class Counting:
    """Counts for those who listen, the query first that has waited longest."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models
        self._counted: dict[VehicleQuery, _Counted] = {}

    def count(self, listeners: Sequence[Listener]) -> float:
        """Count one query, if one is due; answers how long to rest."""
        asking = by_query(listeners)
        self._counted = {query: self._counted.get(query) or _Counted() for query in asking}
        began = time.monotonic()
        due = {query: one.due_s(asking[query], began) for query, one in self._counted.items()}
        query = max(due, key=due.__getitem__)
        if due[query] <= 0:
            return IDLE_S
        try:
            self._tell(query, asking[query], began)
        except Exception as error:  # noqa: BLE001 # whatever it is: later counts may come through
            self._counted[query].counted_at = began
            report = logger.warning if isinstance(error, TrackerError) else logger.error
            report("not counted", error=str(error))
        return max(IDLE_S, (SHARE - 1) * (time.monotonic() - began))

    def _tell(self, query: VehicleQuery, listeners: list[Listener], began: float) -> None:
        counted = self._counted[query]
        position = max(one.outbox.position for one in listeners)
        now = self._models.search_as_of()
        page = self._models.search.search(replace(query, limit=1), now)
        counts = counts_of(page)
        changed = counts != counted.counts or began - counted.told_at >= MOST_S
        told = set() if changed else counted.told
        text = event(
            "counts",
            {**counts, "position": page.position, "as_of": now, "answered_at": utc_now()},
        )
        for one in set(listeners) - told:
            one.outbox.put({"counts": text})
        self._counted[query] = _Counted(
            counted_at=began,
            told_at=began if changed else counted.told_at,
            position=position,
            counts=counts,
            told=set(listeners),
        )
