"""The thresholds by which driving is told from standing. A customer may have its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class TripRules(msgspec.Struct, frozen=True, gc=False):
    """What counts as standing, as moving, and as a trip."""

    stop_after_s: float = 300
    """Who stands as long as this, or is not heard for longer, has ended the trip."""

    moving_above_kmh: float = 5.0
    """Slower than this, or as fast, is standing."""

    shortest_km: float = 0.2
    """What is shorter is no trip: a GPS wanders a little while the vehicle stands."""

    @staticmethod
    def of(rules: Mapping[str, float] | None) -> TripRules:
        """The rules of `Customer.TripRulesChanged`; what it does not name is the default."""
        return msgspec.convert(rules or {}, TripRules)
