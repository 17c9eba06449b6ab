"""What may be asked of the feed: vehicles as a search finds them, from a place of the log on."""

from __future__ import annotations

from marshmallow import fields, validate

from read_service.queries import VehiclesQuery
from vehicle_tracker.schemas import Vin

NOW = "now"
LAST_EVENT_ID = "Last-Event-ID"
MOST_VINS = 500
_LONGEST_CURSOR = validate.Length(max=2_000)


class ChangesQuery(VehiclesQuery):
    """What happened to which vehicles, from where on."""

    class Meta:
        """A log has one order, and its cursors are named otherwise."""

        exclude = ("sort", "cursor")

    after = fields.String(
        load_default=None,
        validate=_LONGEST_CURSOR,
        metadata={
            "description": "a `cursor` or `end_cursor` of before, however long ago; `now`: only"
            " what comes from now on. Without it: from the first event on"
        },
    )


class StreamQuery(VehiclesQuery):
    """Which vehicles to hear of."""

    class Meta:
        """There are no pages."""

        exclude = ("sort", "cursor", "limit", "at_least")

    after = fields.String(
        load_default=None,
        validate=_LONGEST_CURSOR,
        metadata={"description": f"as `{LAST_EVENT_ID}`, for those who cannot send headers"},
    )
    vin = fields.List(
        Vin(),
        load_default=(),
        validate=validate.Length(max=MOST_VINS),
        metadata={"description": "repeatable: of those that are asked for, only these"},
    )
    counts = fields.Boolean(
        load_default=False,
        metadata={"description": "also `counts`: the total and the facets of the search"},
    )
