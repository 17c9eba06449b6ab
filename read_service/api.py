"""The routes that answer for customers and read models: load, call one method, dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from read_service import queries, schemas
from read_service.items import answer, customer_item
from read_service.vehicles_api import BEHIND
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Response

    from read_service.models import ReadModels


def customers_api(models: ReadModels) -> ApiBlueprint:
    """`/customers` and what is below it, except their vehicles."""
    blueprint = ApiBlueprint("customers", __name__, url_prefix="/api/v1")

    @blueprint.route("/customers")
    @blueprint.arguments(queries.CustomersQuery, location="query")
    @blueprint.response(200, schemas.CustomerPage)
    @blueprint.alt_response(503, description=BEHIND)
    def list_customers(query: dict[str, Any]) -> Response:
        """Customers by name, each with its vehicles in use counted by status."""
        models.wait_for(query["at_least"])
        now = models.as_of()
        page = models.customers.customers(query["q"], query["limit"], query["cursor"], now)
        items = [customer_item(view) for view in page.items]
        return answer({**page._asdict(), "items": items, "as_of": now})

    @blueprint.route("/customers/<uuid:customer_id>")
    @blueprint.arguments(queries.AsOfQuery, location="query")
    @blueprint.response(200, schemas.Customer)
    @blueprint.alt_response(404, description="`unknown_customer`")
    @blueprint.alt_response(503, description=BEHIND)
    def show_customer(query: dict[str, Any], customer_id: UUID) -> Response:
        """A customer, with its vehicles in use counted by status."""
        now = models.as_of()
        view, position = models.customer(customer_id, query["at_least"], now)
        return answer({**customer_item(view), "position": position, "as_of": now})

    return blueprint


def projections_api(models: ReadModels) -> ApiBlueprint:
    """`/projections`."""
    blueprint = ApiBlueprint("projections", __name__, url_prefix="/api/v1")

    @blueprint.route("/projections")
    @blueprint.arguments(queries.AsOfQuery, location="query")
    @blueprint.response(200, schemas.Projections)
    @blueprint.alt_response(503, description=BEHIND)
    def list_projections(query: dict[str, Any]) -> Response:
        """How far each read model is behind the event log."""
        models.wait_for(query["at_least"])
        progress = models.progress()
        now = utc_now()
        items = [
            {
                "name": one.name,
                "position": one.position,
                "head": one.head,
                "lag_events": one.lag_events(),
                "lag_seconds": one.lag_seconds(now),
                "state": one.state(now),
                "parked": one.parked,
                "updated_at": one.updated_at,
            }
            for one in progress
        ]
        position = min(one.position for one in progress)
        return answer({"items": items, "position": position, "as_of": now})

    return blueprint
