"""From the bytes of a request to heartbeats, or to words about what is wrong with them."""

from __future__ import annotations

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.errors import TooLarge, TrackerError
from write_service.heartbeat_body import NDJSON, at_most, body_of, decode, decode_one
from write_service.heartbeat_message import (
    HeartbeatMessage,
    Rejection,
    finding_words,
    reason_to_reject,
)

VIN = "YS2R4X20005399401"
GOOD = {"vin": VIN, "recorded_at": "2026-01-31T12:00:00Z", "latitude": 59.1, "longitude": 17.6}
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

attributes = st.dictionaries(
    st.text('abc: \\"å', min_size=1, max_size=5),
    st.text('xyz: \\"å', max_size=5) | st.booleans() | st.floats(-1e6, 1e6),
    max_size=3,
)
heartbeats = st.fixed_dictionaries(
    {"vin": st.just(VIN)},
    optional={
        "recorded_at": st.just("2026-01-31T12:00:00+01:00"),
        "speed_kmh": st.floats(0, 300),
        "ignition": st.none() | st.booleans(),
        "attributes": attributes,
    },
)


def _only(body: bytes, content_type: str = "application/json") -> HeartbeatMessage | Rejection:
    (item,) = decode(body, content_type, 10).items
    return item


@given(st.lists(heartbeats, min_size=1, max_size=5), st.booleans(), st.sampled_from([None, 1]))
def test_however_it_is_written_it_is_the_same(
    items: list[dict[str, Any]],
    ascii_only: bool,  # noqa: FBT001 # Hypothesis gives it
    indent: int | None,
) -> None:
    """An array, NDJSON, escapes and white space: every way of writing gives the same heartbeats."""
    array = json.dumps(items, ensure_ascii=ascii_only, indent=indent).encode()
    lines = "\n".join(json.dumps(item, ensure_ascii=ascii_only) for item in items).encode()
    decoded = decode(array, "application/json", 10).items
    assert all(isinstance(item, HeartbeatMessage) for item in decoded)
    assert list(decode(lines, NDJSON, 10).items) == list(decoded)
    assert [decode(json.dumps(item).encode(), "", 10).items[0] for item in items] == list(decoded)


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"vin": None}, "vin", "null"),
        ({"vin": "YS2R4X2000539940I"}, "vin", "without I, O and Q"),
        ({"vin": VIN + "\n"}, "vin", "17 characters"),
        ({"vin": "🚚" * 17}, "vin", "17 characters"),
        ({"recorded_at": "2026-01-31T12:00:00"}, "recorded_at", "offset"),
        ({"recorded_at": 1769860800}, "recorded_at", "a time such as"),
        ({"latitude": 91}, "latitude", "from -90 to 90"),
        ({"latitude": "59.1"}, "latitude", "a number"),
        ({"longitude": -180.5}, "longitude", "from -180 to 180"),
        ({"speed_kmh": -1}, "speed_kmh", "at least 0"),
        ({"speed_kmh": True}, "speed_kmh", "a number"),
        ({"altitude_m": "high"}, "altitude_m", "a number"),
        ({"heading_deg": 361}, "heading_deg", "from 0 to 360"),
        ({"fuel_level": 1.1}, "fuel_level", "from 0 to 1"),
        ({"ignition": "on"}, "ignition", "true or false"),
        ({"ignition": 1}, "ignition", "true or false"),
        ({"attributes": []}, "attributes", "mapping"),
        ({"attributes": {str(n): n for n in range(33)}}, "attributes", "at most 32"),
        ({"attributes": {"a": None}}, "attributes.a.value", "a number"),
        ({"attributes": {"a": {"b": 1}}}, "attributes.a.value", "a number"),
        ({"attributes": {"a": "\x00"}}, "attributes.a.value", "text"),
        ({"attributes": {"a": 2**60}}, "attributes.a.value", "a number"),
        ({"attributes": {"": 1}}, "attributes..key", "1 to 64"),
        ({"lat": 59.1}, "lat", "no such field"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(
    change: dict[str, Any], field: str, expected: str
) -> None:
    """Whoever sends a wrong field is told which, and what was expected of it."""
    item = _only(json.dumps(GOOD | change).encode())
    assert isinstance(item, Rejection)
    assert item.code == "invalid_heartbeat"
    assert expected in " ".join(item.errors[field])
    assert field in item.detail


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"[{}", "malformed_json"),
        (b'[{"vin":"\xff"}]', "malformed_json"),
        (b'[{"speed_kmh": NaN}]', "malformed_json"),
        (b'{"vin": "a", "vin": "a"}', "duplicate_key"),
        (b"[" * 5000, "nested_too_deep"),
    ],
)
def test_a_body_that_is_not_json_is_refused_whole(body: bytes, code: str) -> None:
    """Where it is unclear what the sender meant, nothing is taken."""
    with pytest.raises(TrackerError) as caught:
        decode(body, "application/json", 10)
    assert caught.value.code == code


def test_the_good_items_of_a_batch_are_kept() -> None:
    """A bad item is rejected at its place; the others around it are heartbeats."""
    twice = f'{{"vin": "{VIN}", "ignition": true, "ignition": false}}'
    good = json.dumps(GOOD)
    items = decode(f"[{good}, 7, {twice}, {{}}, {good}]".encode(), "", 10).items
    codes = [item.code if isinstance(item, Rejection) else "" for item in items]
    assert codes == ["", "invalid_heartbeat", "duplicate_key", "invalid_heartbeat", ""]
    lines = decode(f"{good}\n\n{{\n{twice}\n{good}".encode(), NDJSON, 10).items
    codes = [item.code if isinstance(item, Rejection) else "" for item in lines]
    assert codes == ["", "malformed_json", "duplicate_key", ""]


@pytest.mark.parametrize("item", [json.dumps(GOOD), "{}", "7", "[]", '{"a": 1, "a": 2}'])
@pytest.mark.parametrize("content_type", ["application/json", NDJSON])
def test_a_batch_has_a_bound(item: str, content_type: str) -> None:
    """More items than are taken at once are refused, right or wrong, and the bound is named."""
    items = [item] * 11
    body = "\n".join(items) if content_type == NDJSON else f"[{', '.join(items)}]"
    with pytest.raises(TooLarge, match="has 11 heartbeats; at most 10 are taken"):
        decode(body.encode(), content_type, 10)


@pytest.mark.parametrize("item", [b"{}", b"7", b"[]"])
@pytest.mark.parametrize("content_type", ["application/json", NDJSON])
def test_too_many_are_refused_before_any_is_looked_at(item: bytes, content_type: str) -> None:
    """However many wrong items a body has, they cost no minutes: they are counted first."""
    for number in (50_000, 8_000_000 // len(item + b",")):
        items = [item] * number
        body = b"\n".join(items) if content_type == NDJSON else b"[%s]" % b",".join(items)
        with pytest.raises(TooLarge) as caught:
            decode(body, content_type, 10_000)
        assert caught.value.code == "batch_too_large"


@pytest.mark.parametrize("body", [b"[" + b"7," * 600_000, b'{"a": [' + b"{}," * 200_000])
def test_a_crowded_body_is_refused_before_it_is_decoded(body: bytes) -> None:
    """Even if it is no JSON at all, or of one vehicle: nobody else could work meanwhile."""
    for refused in (lambda: decode(body, "", 10_000), lambda: decode_one(VIN, body)):
        with pytest.raises(TooLarge, match="objects and lists"):
            refused()


def test_as_many_as_are_taken_at_once_may_say_all_there_is_to_say() -> None:
    """10,000 heartbeats with each field and 32 attributes are no crowd."""
    said = dict.fromkeys(("speed_kmh", "heading_deg", "odometer_km", "altitude_m", "accuracy_m"), 1)
    shares = {"fuel_level": 0.5, "battery_level": 0.5, "ignition": True}
    full = {**GOOD, **said, **shares, "attributes": {f"k{n}": n for n in range(32)}}
    items = decode(json.dumps([full] * 10_000, separators=(",", ":")).encode(), "", 10_000).items
    assert len(items) == 10_000
    assert all(isinstance(item, HeartbeatMessage) for item in items)


@given(st.lists(heartbeats, max_size=5), st.sampled_from([None, 1]))
def test_it_is_known_before_how_many_there_can_be(
    items: list[dict[str, Any]], indent: int | None
) -> None:
    """Just as many as there are, so that room for all is asked for; but for an empty batch."""
    for separators in ((",", ":"), (", ", ": ")):
        body = json.dumps(items, indent=indent, separators=separators).encode()
        assert at_most(body) == max(1, len(items))


@given(
    st.text('{}[],:" \\nattributes', max_size=200) | st.from_regex(r'(\[|\{|"attributes": ?\{)*')
)
def test_never_fewer_than_there_are(text: str) -> None:
    """Whatever is sent: each item needs a brace that opens no attributes."""
    body = f'[{{"a": {json.dumps(text)}}}, {{"attributes": {{"attributes": {{}}}}}}, {{}}]'.encode()
    assert at_most(body) >= 3


def test_who_is_right_does_not_wait_for_who_is_wrong() -> None:
    """While it takes however long to say what is wrong with one batch, good ones are decoded."""
    good = json.dumps([GOOD] * 1_000).encode()
    wrong = json.dumps([GOOD | {"latitude": 91}] * 10).encode()
    with ThreadPoolExecutor(2) as threads:
        with finding_words:
            waits = threads.submit(decode, wrong, "", 1_000)
            assert len(threads.submit(decode, good, "", 1_000).result(20).items) == 1_000
            assert not waits.done()
        assert len(waits.result(20).items) == 10


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", None),
        (b"{}", None),
        (b'{"vin": "%s"}' % VIN.encode(), None),
        (b'{"vin": "YS2R4X20005399402"}', "VIN of the path"),
        (b"[]", "JSON object"),
    ],
)
def test_the_path_says_whose_heartbeat_it_is(body: bytes, expected: str | None) -> None:
    """The vehicle of the path needs no VIN in the body; another one in it is refused."""
    (item,) = decode_one(VIN, body).items
    if expected is None:
        assert isinstance(item, HeartbeatMessage)
        assert item.vin == VIN
    else:
        assert isinstance(item, Rejection)
        assert expected in item.detail


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (HeartbeatMessage(vin=VIN), None),
        (HeartbeatMessage(vin=VIN, recorded_at=NOW + timedelta(minutes=5)), None),
        (HeartbeatMessage(vin=VIN, recorded_at=NOW + timedelta(minutes=10)), "recorded_in_future"),
        (HeartbeatMessage(vin=VIN, recorded_at=datetime(1, 1, 1, tzinfo=UTC)), "invalid_heartbeat"),
        (HeartbeatMessage(vin=VIN, recorded_at=datetime(1, 1, 2, tzinfo=UTC)), None),
        (HeartbeatMessage(vin=VIN, latitude=1.0), "invalid_heartbeat"),
        (HeartbeatMessage(vin=VIN, longitude=1.0), "invalid_heartbeat"),
    ],
)
def test_the_rules_that_concern_the_clock_or_several_fields(
    message: HeartbeatMessage, code: str | None
) -> None:
    """Any age is taken, five minutes ahead too, not more; and a position has two coordinates."""
    reason = reason_to_reject(message, NOW)
    assert (reason and reason.code) == code


def _packed(body: bytes) -> bytes:
    """Packed the same whenever it is: it names a test."""
    return gzip.compress(body, mtime=0)


def _unpacked(body: bytes, encoding: str = "gzip") -> bytes:
    with Flask("test").test_request_context(
        data=body, headers={"Content-Encoding": encoding}, method="POST"
    ):
        return body_of(request, 1000)


def test_gzip_is_unpacked() -> None:
    """A packed body is read as what it was, also when it was packed in several parts."""
    assert _unpacked(gzip.compress(b"one") + gzip.compress(b"two")) == b"onetwo"
    assert _unpacked(b"plain", "identity") == b"plain"


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (b"not packed", "gzip", "malformed_gzip"),
        (_packed(b"x" * 100)[:-9], "gzip", "malformed_gzip"),
        (_packed(b"x" * 1001), "gzip", "body_too_large"),
        (_packed(b"x" * 600) * 2, "gzip", "body_too_large"),
        (_packed(bytes(50_000_000)), "gzip", "body_too_large"),
        (zlib.compress(b"x"), "deflate", "unsupported_encoding"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(body: bytes, encoding: str, code: str) -> None:
    """A bomb, a torn one, and what we cannot read: each has its code."""
    with pytest.raises(TrackerError) as caught:
        _unpacked(body, encoding)
    assert caught.value.code == code
