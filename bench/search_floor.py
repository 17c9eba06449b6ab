"""What no page of vehicles can do without, each by itself: what is ours of a search is more.

One after the other in turn, as a search asks for them: what was not used for some milliseconds is
in no cache of a shared processor any more. In a loop by itself each takes half as long.
"""

from __future__ import annotations

import random
import statistics
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from bench.search_fleet import vin_of
from projections import create_app as create_projections
from projections.catalog import CUSTOMER_VEHICLES, VEHICLE_SEARCH
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.database import db
from projections.elasticsearch import answers, connect
from projections.vehicle_search import elasticsearch_query as ask
from projections.vehicle_search.model import VehicleQuery
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 500


def floor_ms(port: int, vehicles: int) -> dict[str, float]:
    """By what is asked for, the median in milliseconds of one client."""
    settings = Settings.from_environment()
    with (
        create_projections(settings).app_context(),
        connect(settings.elasticsearch_url, 60) as client,
        closing(HTTPConnection("127.0.0.1", port, timeout=60)) as http,
    ):
        name, limit_s = CUSTOMER_VEHICLES.name, settings.disconnect_after_s
        customers = RelationalCustomerVehicles(db.engine, name, limit_s)
        chosen = random.Random(5).sample(range(vehicles), VehicleQuery().limit)  # noqa: S311
        vins = [vin_of(number) for number in chosen]

        def alive() -> None:
            http.request("GET", "/health/live")
            http.getresponse().read()

        return _medians_ms(
            {
                "HTTP, Flask": alive,
                "Elasticsearch, its position": lambda: answers(
                    client, VEHICLE_SEARCH, [ask.position()]
                ),
                "PostgreSQL, rows of a page": lambda: customers.listed(vins, ()),
            }
        )


def _medians_ms(parts: dict[str, Callable[[], object]]) -> dict[str, float]:
    took: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(ROUNDS):
        for name, part in parts.items():
            began = time.perf_counter()
            part()
            took[name].append(time.perf_counter() - began)
    return {name: round(1_000 * statistics.median(some), 1) for name, some in took.items()}
