"""Durations, rectangles, circles and labels are read strictly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from projections.vehicle_search.model import Box, Circle
from read_service.filter_fields import LONGEST_SILENCE, BoxField, CircleField, Duration, Labels


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT1H", timedelta(hours=1)),
        ("PT90M", timedelta(minutes=90)),
        ("P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("PT0,5S", timedelta(seconds=0.5)),
        ("P2W", timedelta(weeks=2)),
        ("PT0S", timedelta(0)),
        ("P36525D", LONGEST_SILENCE),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    """Weeks, days, hours, minutes and seconds, as ISO 8601 writes them."""
    assert Duration("").deserialize(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "1H", "PT1", "P1H", "PT1D", "P1Y", "P1M", "-PT1H", "pt1h", "PT1H "),
        *("PT1.5H", "PT\u0661H", "P36526D", "P1DT", "PT1M1H", "PT" + "9" * 400 + "S"),
    ],
)
def test_other_durations_are_refused(text: str) -> None:
    """Years and months have no one length; what else is no duration is no duration."""
    with pytest.raises(ValidationError):
        Duration("").deserialize(text)


@given(text=st.text(alphabet="0123456789.,-+eEnaif PTSHMDW", max_size=30))
def test_nothing_breaks_a_field(text: str) -> None:
    """Whatever is sent is read or refused."""
    for field in (Duration(""), BoxField(), CircleField()):
        try:
            found = field.deserialize(text)
        except ValidationError:
            continue
        assert isinstance(found, timedelta | Box | Circle)


def test_places() -> None:
    """In the order in which they are named; whole numbers, fractions and signs."""
    assert BoxField().deserialize("179,-20.5,-179,+10") == Box(179, -20.5, -179, 10)
    assert CircleField().deserialize("59.33,18.07,0.5") == Circle(59.33, 18.07, 0.5)


@pytest.mark.parametrize(
    "labels", ["a", (("", "x"),), (("a", "\0"),), (("a", "\ud800"),), (("a", "b"),) * 33]
)
def test_labels_that_nothing_can_have(labels: Any) -> None:
    """No key, a control character, half a character or too many are refused."""
    with pytest.raises(ValidationError):
        Labels().deserialize(labels)
