"""VINs, instants and stream names."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.domain.values import (
    VIN_PATTERN,
    from_microseconds,
    heartbeat_stream,
    heartbeat_streams,
    is_vin,
    to_microseconds,
    vehicle_stream,
)

VIN = "YS2R4X20005399401"


@pytest.mark.parametrize(
    "text",
    ["", VIN[:-1], VIN + "1", VIN.lower(), VIN + "\n", VIN[:-1] + "I", VIN[:-1] + "O", "Q" * 17],
)
def test_what_is_no_vin(text: str) -> None:
    """A VIN has 17 characters and never an I, O or Q; nothing may follow it, not even a newline."""
    assert is_vin(VIN)
    assert not is_vin(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_are_exact_in_microseconds(instant: datetime) -> None:
    """An instant comes back from its microseconds as it was, to the last of them."""
    assert from_microseconds(to_microseconds(instant)) == instant


def test_a_stream_is_named_by_its_vin_for_ever() -> None:
    """The names are in stored rows: a change of them would lose every vehicle's history."""
    assert str(vehicle_stream(VIN)) == "b10f9cdd-6ea8-54d8-981f-1f36bc4a6639"
    assert str(heartbeat_stream(VIN)) == "5364af71-1194-5360-92c2-7426fccdf032"


@given(st.lists(st.from_regex(VIN_PATTERN, fullmatch=True)))
def test_many_streams_are_named_as_one_is(vins: list[str]) -> None:
    """The faster way leads to the same streams."""
    assert [UUID(name) for name in heartbeat_streams(vins)] == [*map(heartbeat_stream, vins)]
