"""The routes of the feed: the log in pages, and live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request

from read_service.items import answer
from read_service.live import queries, schemas
from read_service.live.changes import changes
from read_service.live.listener import Asked
from read_service.live.queries import LAST_EVENT_ID, NOW
from read_service.queries import vehicle_filter
from read_service.vehicles_api import BEHIND
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from read_service.live.cursor import LogCursors
    from read_service.live.feed import Feed
    from read_service.models import ReadModels

EVENT_STREAM = "text/event-stream"
EVENTS = (
    "`vehicle` (`vehicle` as in /vehicles, `position`, `as_of`, `answered_at`), `gone` (`vin`: none"
    " of those asked for any more), `counts` (`total` and `facets` as in /vehicles), `behind`"
    " (`as_of`: what is shown is old), `reset` (too much was missed: ask /vehicles again)"
)
UNBUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def changes_api(models: ReadModels, cursors: LogCursors) -> ApiBlueprint:
    """`/changes`."""
    blueprint = ApiBlueprint("changes", __name__, url_prefix="/api/v1")

    @blueprint.route("/changes")
    @blueprint.arguments(queries.ChangesQuery, location="query")
    @blueprint.response(200, schemas.ChangePage)
    @blueprint.alt_response(503, description=BEHIND)
    def list_changes(query: dict[str, Any]) -> Response:
        """What happened, in the order in which it became known; to be read on from for ever.

        A page may be empty although more is there: go on from its `end_cursor`.
        """
        models.wait_for(query["at_least"])
        now, after = models.as_of(), query["after"]
        position = models.log.head() if after == NOW else cursors.decode(after, "after")
        page = changes(models, vehicle_filter(query), position, query["limit"], now)
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


def stream_api(feed: Feed, cursors: LogCursors) -> ApiBlueprint:
    """`/stream`."""
    blueprint = ApiBlueprint("stream", __name__, url_prefix="/api/v1")

    @blueprint.route("/stream")
    @blueprint.arguments(queries.StreamQuery, location="query")
    @blueprint.response(200, content_type=EVENT_STREAM, description=EVENTS)
    @blueprint.alt_response(503, description=f"{BEHIND}, `too_many_streams`, `stopping`")
    def stream(query: dict[str, Any]) -> Response:
        """Server-sent events: vehicles as soon as something about them has changed.

        It goes on where `Last-Event-ID` (or `after`) says, or else from now on. First open it, then
        ask `/vehicles` for what there is; of both the one with the later `position` is right. A
        vehicle that begins to be silent for longer than `silent_for` is not told: nothing happened.
        """
        last = request.headers.get(LAST_EVENT_ID)
        field = "after" if last is None else LAST_EVENT_ID
        cursor = query["after"] if last is None else last
        after = None if cursor in (None, "", NOW) else cursors.decode(cursor, field)
        asked = Asked(vehicle_filter(query), frozenset(query["vin"]), query["counts"])
        listener = feed.listen(asked, after)
        return Response(
            listener, content_type=EVENT_STREAM, headers=UNBUFFERED, direct_passthrough=True
        )

    return blueprint
