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


def vehicle_search(
    settings: Settings, customers: CustomerVehicles, relational: RelationalVehicleSearch
) -> ElasticsearchVehicleSearch:
    """Finds vehicles in Elasticsearch, and asks PostgreSQL what it does not know."""
    client = connect(settings.elasticsearch_url, SEARCHING_TIMEOUT_S)
    limit_s = settings.disconnect_after_s
    return ElasticsearchVehicleSearch(client, VEHICLE_SEARCH, customers, relational, limit_s)


def trip_search(
    settings: Settings, trips: RelationalTrips, engine: Engine
) -> ElasticsearchTripSearch:
    """The same for trips."""
    client = connect(settings.elasticsearch_url, SEARCHING_TIMEOUT_S)
    return ElasticsearchTripSearch(client, TRIP_SEARCH, trips, engine)
