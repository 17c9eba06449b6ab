"""The routes of the feed: the log in pages, and live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from read_service import feed_queries, feed_schemas
from read_service.changes import changes
from read_service.feed_queries import NOW, asked
from read_service.items import answer
from read_service.vehicles_api import BEHIND
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from flask import Response

    from read_service.log_cursor import LogCursors
    from read_service.models import ReadModels

BAD_CURSOR = "`invalid_cursor`, `invalid_request`"


def changes_api(models: ReadModels, cursors: LogCursors) -> ApiBlueprint:
    """`/changes`."""
    blueprint = ApiBlueprint("changes", __name__, url_prefix="/api/v1")

    @blueprint.route("/changes")
    @blueprint.arguments(feed_queries.ChangesQuery, location="query")
    @blueprint.response(200, feed_schemas.ChangePage)
    @blueprint.alt_response(503, description=BEHIND)
    def list_changes(query: dict[str, Any]) -> Response:
        """What happened, in the order in which it became known; to be read on from for ever.

        A page may be empty although more is there: go on from its `end_cursor`.
        """
        models.wait_for(query["at_least"])
        now, after = models.as_of(), query["after"]
        position = models.log.head() if after == NOW else cursors.decode(after, "after")
        page = changes(models, asked(query), position, query["limit"], now)
        return answer(
            {
                "items": [
                    {
                        "cursor": cursors.encode(one.position),
                        "position": one.position,
                        "vin": one.vin,
                        **one.what,
                    }
                    for one in page.items
                ],
                "end_cursor": cursors.encode(page.end),
                "has_next_page": page.more,
                "position": page.position,
                "as_of": now,
            }
        )

    return blueprint
