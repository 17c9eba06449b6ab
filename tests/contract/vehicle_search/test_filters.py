"""What besides words can be asked, whichever adapter is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections.vehicle_search.model import Box, Circle, VehicleQuery

if TYPE_CHECKING:
    from projections.vehicle_search.model import VehicleSearch

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLACED = ["ABC123", "DEF 456", "JKL012", "MNO345", "PQR678"]
SODERTALJE_TO_STOCKHOLM_KM = 30.3
FIJI = ["JKL012", "MNO345"]


@pytest.mark.parametrize(
    ("asked", "plates"),
    [
        # silent: the newest heartbeat is older than that; who was never seen is not silent
        ({"silent_for": timedelta(0)}, ["ABC123", "DEF 456", "MNO345", "PQR678"]),
        ({"silent_for": timedelta(seconds=120)}, ["DEF 456", "PQR678"]),
        ({"silent_for": timedelta(seconds=120, microseconds=-1)}, ["DEF 456", "MNO345", "PQR678"]),
        ({"silent_for": timedelta(hours=1, microseconds=-1)}, ["PQR678"]),
        ({"silent_for": timedelta(hours=1)}, []),
        ({"silent_for": timedelta(days=36_500)}, []),
        # a rectangle, its edges included
        ({"box": Box(-180, -90, 180, 90)}, PLACED),
        ({"box": Box(17, 59, 18, 60)}, ["ABC123"]),
        ({"box": Box(17.6, 59.2, 18.07, 59.33)}, ["ABC123", "PQR678"]),
        ({"box": Box(17.600001, 59.2, 18.07, 59.33)}, ["PQR678"]),
        ({"box": Box(17.6, 59.2, 17.6, 59.2)}, ["ABC123"]),
        ({"box": Box(18, 59, 17, 60)}, ["PQR678"]),
        ({"box": Box(0, 0, 1, 1)}, []),
        # across the antimeridian
        ({"box": Box(179, -20, -179, -10)}, FIJI),
        ({"box": Box(179.95, -20, -179, -10)}, ["MNO345"]),
        ({"box": Box(179, -20, 180, -10)}, ["JKL012"]),
        ({"box": Box(-179, -20, 179, -10)}, []),
        # a circle
        ({"near": Circle(59.2, 17.6, 0.1)}, ["ABC123"]),
        ({"near": Circle(59.2, 17.6, SODERTALJE_TO_STOCKHOLM_KM - 0.1)}, ["ABC123"]),
        ({"near": Circle(59.2, 17.6, SODERTALJE_TO_STOCKHOLM_KM + 0.1)}, ["ABC123", "PQR678"]),
        ({"near": Circle(-17.4, 180, 60)}, FIJI),
        ({"near": Circle(-17.4, -180, 60)}, FIJI),
        ({"near": Circle(90, 0, 3_600)}, ["ABC123", "DEF 456", "PQR678"]),
        ({"near": Circle(0, 0, 20_020)}, PLACED),
        # labels, as they are written
        ({"labels": (("depå", "Umeå"),)}, ["GHI-789"]),
        ({"labels": (("depå", "umeå"),)}, []),
        ({"labels": (("depå", "Ume"),)}, []),
        ({"labels": (("rabatt", "50%"), ("kod", "a_b"))}, ["MNO345"]),
        ({"labels": (("rabatt", "50%"), ("kod", "b"))}, []),
        ({"labels": (("depå", "Umeå"), ("depå", "Södertälje"))}, []),
        ({"labels": (("a\\b", "c"),)}, ["PQR678"]),
        ({"labels": (("a", "\\b=c"),)}, []),
        # together
        ({"q": "kalles", "labels": (("depå", "Umeå"),)}, ["GHI-789"]),
        ({"box": Box(10, 50, 20, 60), "statuses": ("disconnected",)}, ["DEF 456", "PQR678"]),
        ({"near": Circle(59.2, 17.6, 50), "silent_for": timedelta(minutes=5)}, ["PQR678"]),
        ({"q": "jhoans", "box": Box(179, -20, -179, -10)}, FIJI),
    ],
)
def test_filters(search: VehicleSearch, asked: dict[str, Any], plates: list[str]) -> None:
    """Found is what all filters let through; total and facets count just that."""
    page = search.search(VehicleQuery(**asked), NOW)
    assert [view.vehicle.registration_number for view in page.items] == plates
    assert page.total == len(plates)
    assert sum(one.count for one in page.customers) == len(plates)
    if "statuses" not in asked:
        assert sum(page.statuses.values()) == len(plates)
