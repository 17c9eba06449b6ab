"""What may be asked of the read service, as OpenAPI shows it and as it is validated."""

from __future__ import annotations

import unicodedata
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate, validates_schema
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict

from projections.customer_vehicles.model import STATUSES
from projections.vehicle_search.model import SORTS, VehicleQuery
from read_service.filter_fields import LABEL, BoxField, CircleField, Duration, Labels
from vehicle_tracker.schemas import Instant

LARGEST_POSITION = 2**63 - 1
LONGEST_TEXT = 200
MOST_WORDS = 10
MOST_IDS = 100


class Words(fields.String):
    """What a person types to find something: some words, no control characters."""

    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(
            validate=validate.Length(max=LONGEST_TEXT),
            load_default="",
            metadata={"description": f"{description}; at most {MOST_WORDS} words", **kwargs},
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, *args, **kwargs))
        if any(unicodedata.category(c) in ("Cc", "Cs") and not c.isspace() for c in text):
            raise ValidationError("expected no control characters")
        if len(text.split()) > MOST_WORDS:
            raise ValidationError(f"expected at most {MOST_WORDS} words")
        return text


class AsOfQuery(Schema):
    """What every read takes."""

    at_least = fields.Integer(
        load_default=0,
        validate=validate.Range(min=0, max=LARGEST_POSITION),
        metadata={"description": "a position of the log, as writes answer it, to wait for"},
    )


class PageQuery(AsOfQuery):
    """Which page of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=500))
    cursor = fields.String(
        load_default=None,
        validate=validate.Length(max=2_000),
        metadata={"description": "`next_cursor` of the page before, with the same parameters"},
    )


class CustomerVehiclesQuery(PageQuery):
    """Which vehicles of a customer, in which order."""

    q = Words(
        "each word is found in the VIN, plate, customer or a label: as a fragment, without regard"
        " to case, accents and hyphens. A word that is found nowhere is forgiven one typo",
        example="abc1",
    )
    status = fields.List(
        fields.String(validate=validate.OneOf(STATUSES)),
        load_default=(),
        validate=validate.Length(max=MOST_IDS),
        metadata={"description": "repeatable"},
    )
    sort = fields.String(
        load_default="registration_number",
        validate=validate.OneOf(SORTS),
        metadata={
            "description": "`-` reverses. Equal ones are by VIN; with `last_heartbeat_at` vehicles"
            " that were never seen come last in both directions"
        },
    )

    silent_for = Duration(
        "only vehicles whose newest heartbeat is older than that: an ISO 8601 duration of weeks,"
        " days, hours, minutes and seconds. Those never seen are not among them"
    )
    bbox = BoxField()
    near = CircleField()
    labels = Labels()

    @pre_load
    def _gather_labels(self, data: Any, **_: Any) -> Any:
        """Parameters whose names nobody can know before, as one field."""
        given = data.data.items(multi=True)
        known = [(key, value) for key, value in given if not key.startswith(LABEL)]
        labels = tuple(
            (key.removeprefix(LABEL), value)
            for key, value in data.data.items(multi=True)
            if key.startswith(LABEL)
        )
        gathered: MultiDict[str, Any] = MultiDict(known)
        if labels:
            gathered.add("labels", labels)
        return MultiDictProxy(gathered, self)


class VehiclesQuery(CustomerVehiclesQuery):
    """Which vehicles, in which order."""

    customer_id = fields.List(
        fields.UUID(),
        load_default=(),
        validate=validate.Length(max=MOST_IDS),
        metadata={"description": "repeatable"},
    )


def vehicle_filter(query: dict[str, Any]) -> VehicleQuery:
    """Which vehicles, as it was loaded; in no order and of no page."""
    return VehicleQuery(
        q=query["q"],
        customer_ids=tuple(query["customer_id"]),
        statuses=tuple(query["status"]),
        silent_for=query["silent_for"],
        box=query["bbox"],
        near=query["near"],
        labels=tuple(query["labels"]),
    )


class CustomersQuery(PageQuery):
    """Which customers."""

    q = Words("each word is found in the name", example="kalles")


class PeriodQuery(AsOfQuery):
    """From when until when."""

    from_ = Instant(
        data_key="from", load_default=None, metadata={"description": "from this instant on"}
    )
    to = Instant(load_default=None, metadata={"description": "before this instant"})

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["from_"] and data["to"] and data["from_"] > data["to"]:
            raise ValidationError("expected a time that is not before `from`", "to")


class HeartbeatsQuery(PeriodQuery, PageQuery):
    """Which of a vehicle's heartbeats, by `recorded_at`."""


class DemoQuery(Schema):
    """The search of the demo this project grew from."""

    customer_name = Words("a part of the customer's name", example="kalles")
    online = fields.Boolean(load_default=None)
