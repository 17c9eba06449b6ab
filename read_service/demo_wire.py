"""The wire of the demo this project grew from, so that its clients run unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from read_service import queries, schemas
from read_service.items import answer, demo_item
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from flask import Response

    from read_service.models import ReadModels


def demo_wire(models: ReadModels) -> ApiBlueprint:
    """`GET /search` and `GET /search/ping`."""
    blueprint = ApiBlueprint("demo_wire", __name__, url_prefix="/search")

    @blueprint.route("/ping")
    @blueprint.response(200, schemas.Pong)
    def ping() -> dict[str, str]:
        """Whether it is there."""
        return {"message": "pong"}

    @blueprint.route("")
    @blueprint.arguments(queries.DemoQuery, location="query")
    @blueprint.response(200, schemas.DemoVehicle(many=True))
    @blueprint.alt_response(503, description="`read_model_unavailable`")
    def search(query: dict[str, Any]) -> Response:
        """All vehicles in use of the customers with such a name, online or not."""
        now = models.as_of()
        views, _ = models.customers.vehicles_of(query["customer_name"])
        items = [demo_item(view, now, models.settings) for view in views]
        online = query["online"]
        return answer([one for one in items if online is None or one["online"] is online])

    return blueprint
