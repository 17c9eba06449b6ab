"""JSON that means one thing only."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker import strict_json
from vehicle_tracker.errors import Malformed

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"))
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def _many_keys(number: int) -> bytes:
    """An object of which only the last key stands twice."""
    keys = [*range(number), number - 1]
    return ("{" + ",".join(f'"{key}": 1' for key in keys) + "}").encode()


@given(values.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_what_is_json_is_read_as_it_is(value: object) -> None:
    """Every JSON value that a sender can write comes out as it went in."""
    assert strict_json.loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"", "malformed_json", "line 1 column 1"),
        (b"{", "malformed_json", "line 1 column 2"),
        (b"\xff", "malformed_json", "byte 0"),
        (b"NaN", "malformed_json", "NaN is not a JSON value"),
        (b"-Infinity", "malformed_json", "-Infinity is not a JSON value"),
        (b"1e400", "malformed_json", "beyond the range"),
        (b'"\\ud800"', "malformed_json", "surrogate"),
        (b'{"a": 1, "a": 1}', "duplicate_key", "'a' stands twice"),
        (b'{"a": {"b": 1, "b": 2}}', "duplicate_key", "'b' stands twice"),
        pytest.param(_many_keys(300_000), "duplicate_key", "'299999' stands", id="many keys"),
        (b"[" * 100_000, "nested_too_deep", "nested"),
        (b"1" * 10_000, "malformed_json", "not JSON"),
    ],
)
def test_what_is_ambiguous_or_no_json_is_refused(body: bytes, code: str, said: str) -> None:
    """What two readers could read differently has a stable code and says where it is wrong."""
    with pytest.raises(Malformed) as caught:
        strict_json.loads(body)
    assert caught.value.code == code
    assert said in caught.value.detail
