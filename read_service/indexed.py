"""The searches of a read service that has an Elasticsearch: the indexes, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.catalog import TRIP_SEARCH, VEHICLE_SEARCH
from projections.elasticsearch import connect
from projections.trip_search.elasticsearch import ElasticsearchTripSearch
from projections.vehicle_search.elasticsearch import ElasticsearchVehicleSearch

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from projections.customer_vehicles.model import CustomerVehicles
    from projections.trips.reader import RelationalTrips
    from projections.vehicle_search.relational import RelationalVehicleSearch
    from vehicle_tracker.settings import Settings

SEARCHING_TIMEOUT_S = 3.0


def searches(
    settings: Settings,
    customers: CustomerVehicles,
    vehicles: RelationalVehicleSearch,
    trips: RelationalTrips,
    engine: Engine,
) -> tuple[ElasticsearchVehicleSearch, ElasticsearchTripSearch]:
    """Find vehicles and trips in Elasticsearch, and ask PostgreSQL what it does not know."""
    client = connect(settings.elasticsearch_url, SEARCHING_TIMEOUT_S)
    limit_s = settings.disconnect_after_s
    return (
        ElasticsearchVehicleSearch(client, VEHICLE_SEARCH, customers, vehicles, limit_s),
        ElasticsearchTripSearch(client, TRIP_SEARCH, trips, engine),
    )
