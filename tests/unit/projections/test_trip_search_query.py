"""What the index of trips is asked: a little more than was asked for, never less."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from projections.trip_search.elasticsearch_query import request
from projections.trip_search.index import source
from projections.trip_search.names import Named
from projections.trips.model import TripQuery
from projections.vehicle_search.model import Box
from tests.following import NOW


def _corners(box: Box) -> tuple[float, ...]:
    asked = request(TripQuery(box=box), [], None, 1)["query"]["bool"]["filter"][-1]
    corners = asked["geo_bounding_box"]["places"]
    top, bottom = corners["top_left"], corners["bottom_right"]
    return (top["lon"], bottom["lat"], bottom["lon"], top["lat"])


@pytest.mark.parametrize(
    ("box", "asked"),
    [
        (Box(17, 58, 19, 60), (16.999, 57.999, 19.001, 60.001)),
        (Box(-180, -90, 180, 90), (-180, -90, 180, 90)),
        (Box(179, -18, -179, -16), (178.999, -18.001, -178.999, -15.999)),
        # around the world but for less than the margin
        (Box(10.0005, 0, 10, 1), (-180, -0.001, 180, 1.001)),
    ],
)
def test_a_box_is_asked_for_with_a_margin(box: Box, asked: tuple[float, ...]) -> None:
    """As wide as places are rounded, and never off the map."""
    assert _corners(box) == pytest.approx(asked)


def test_what_is_typed_is_no_pattern() -> None:
    """A star is a star."""
    named = Named("50*?", [], [])
    asked = request(TripQuery(), [named], None, 1)["query"]["bool"]["filter"][-1]
    assert asked["bool"]["should"][0] == {"wildcard": {"tokens": {"value": "*50\\*\\?*"}}}


def _source(**said: Any) -> Any:
    trip = {
        "trip_id": "t",
        "vin": "v",
        "customer_id": None,
        "folded_driver": "",
        "started_at": NOW,
        "ended_at": None,
        "latitudes": [],
        "longitudes": [],
    }
    return msgspec.json.decode(source(SimpleNamespace(**{**trip, **said})))  # type: ignore[arg-type]


def test_places_are_few_and_on_earth() -> None:
    """The same hundred metres come once; what would be refused is left out."""
    found = _source(latitudes=[59.0, 59.0001, 95.0, 1.0], longitudes=[18.0, 18.0, 1.0, 181.0])
    assert found["places"] == [[18.0, 59.0]]


def test_an_open_trip_has_no_end() -> None:
    """Nor has one a customer that is not registered."""
    assert _source().keys() & {"ended_us", "customer_id"} == set()
