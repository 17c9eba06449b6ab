"""From the bytes of a request to heartbeats: JSON, an array, NDJSON, and any of them in gzip."""

from __future__ import annotations

import zlib
from contextlib import nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from vehicle_tracker import strict_json
from vehicle_tracker.errors import Malformed, TooLarge, Unsupported
from write_service.heartbeat_message import (
    HeartbeatMessage,
    Rejection,
    convert,
    finding_words,
    invalid,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Request

NDJSON = "application/x-ndjson"

_SMALL = 16_384
_MOST_NESTED, _MOST_COMMAS = 100_000, 500_000
"""More of either no 10,000 heartbeats have. Millions would take a second to decode, in which no
other thread may work."""

_large = Lock()
"""Held by who unpacks or decodes a large body.

One at a time: else threads that do so would leave the others no share of the processor. It is never
held for long: who looks for what is wrong with a body takes a hundred times as long, and holds
`finding_words`.
"""


class Batch(NamedTuple):
    """The items of a body in order, each a heartbeat or the reason why it is none."""

    items: Sequence[HeartbeatMessage | Rejection]
    is_single: bool


def body_of(request: Request, most_bytes: int) -> bytes:
    """The body, unpacked if it is gzip. At most `most_bytes` are ever unpacked.

    Errors: `TooLarge` (`body_too_large`), `Malformed` (`malformed_gzip`, `torn_body`),
    `Unsupported`.
    """
    body = request.get_data(cache=False)
    refuse_torn(body, request.content_length)
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "gzip":
        with _large:
            return _unpack(body, most_bytes)
    if encoding != "identity":
        raise Unsupported("unsupported_encoding", "Send the body as it is, or in gzip.")
    return body


def refuse_torn(body: bytes, length: int | None) -> None:
    """Refuse a body whose sender went away in the middle: a part may look like another whole.

    Errors: `Malformed` (`torn_body`).
    """
    if length is not None and len(body) != length:
        raise Malformed("torn_body", f"Of {length} bytes only {len(body)} came.")


def at_most(body: bytes) -> int:
    """How many heartbeats a body can have, at least 1, without decoding it.

    As many as braces, but for those of attributes where they are written as most libraries do.
    """
    of_attributes = body.count(b'"attributes":{') + body.count(b'"attributes": {')
    return body.count(b"{") - of_attributes or 1


def decode(body: bytes, content_type: str, most_items: int) -> Batch:
    """Decode a body.

    Errors: `Malformed` if as a whole it is not JSON, `TooLarge` (`batch_too_large`).
    """
    _refuse_crowded(body)
    with _large if len(body) > _SMALL else nullcontext():
        batch = _decode_fast(body, content_type, most_items)
    if batch is None:
        with finding_words:
            batch = _decode_item_by_item(body, content_type, most_items)
    return batch


def decode_one(vin: str, body: bytes) -> Batch:
    """Decode one heartbeat of the vehicle in the path. No body at all says: here I am, now.

    Errors: `Malformed`, `TooLarge` (`batch_too_large`).
    """
    _refuse_crowded(body)
    with finding_words if len(body) > _SMALL else nullcontext():
        value = strict_json.loads(body) if body else {}
    if not isinstance(value, dict):
        return Batch([invalid({"body": ["expected a JSON object"]})], is_single=True)
    if value.get("vin", vin) != vin:
        return Batch([invalid({"vin": ["expected the VIN of the path, or none"]})], is_single=True)
    return Batch([convert({**value, "vin": vin})], is_single=True)


def _decode_fast(body: bytes, content_type: str, most_items: int) -> Batch | None:
    """All items at once, or None if any of them is not perfect."""
    try:
        if content_type == NDJSON:
            items, is_single = msgspec.json.Decoder().decode_lines(body), False
        else:
            value = msgspec.json.decode(body)
            is_single = not isinstance(value, list)
            items = [value] if is_single else value
        _refuse_more(items, most_items)
        if b"\\u003" in body or body.count(b":") != sum(map(_colons, items)):
            return None  # a key may stand twice in one object: the decoder keeps only the last
        return Batch(msgspec.convert(items, list[HeartbeatMessage]), is_single)
    except (msgspec.MsgspecError, AttributeError, RecursionError, TypeError, ValueError):
        return None


def _refuse_crowded(body: bytes) -> None:
    """Refuse a body before it is decoded that has more parts than all that are taken at once."""
    if len(body) <= _MOST_NESTED:
        return
    nested, commas = body.count(b"{") + body.count(b"["), body.count(b",")
    if nested > _MOST_NESTED or commas > _MOST_COMMAS:
        raise TooLarge(
            "batch_too_large",
            f"The body has {nested} objects and lists, and {commas} commas; at most"
            f" {_MOST_NESTED} and {_MOST_COMMAS} are taken at once.",
        )


def _refuse_more(items: Sequence[object], most_items: int) -> None:
    """Refuse a body of too many before any is looked at: there can be millions of wrong ones."""
    if len(items) > most_items:
        raise TooLarge(
            "batch_too_large",
            f"The batch has {len(items)} heartbeats; at most {most_items} are taken at once.",
        )


def _colons(item: Any) -> int:
    """How many colons the JSON text of a heartbeat has, unless it escapes them."""
    colons = len(item) + item.get("recorded_at", "").count(":")
    for key, value in (item.get("attributes") or {}).items():
        colons += 1 + key.count(":") + (value.count(":") if isinstance(value, str) else 0)
    return int(colons)


def _decode_item_by_item(body: bytes, content_type: str, most_items: int) -> Batch:
    if content_type == NDJSON:
        lines = [line for line in body.splitlines() if line.strip()]
        _refuse_more(lines, most_items)
        return Batch([_item(line) for line in lines], is_single=False)
    if not body.lstrip().startswith(b"["):
        return Batch([convert(strict_json.loads(body))], is_single=True)
    try:
        body.decode("utf-8")
        raw = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        strict_json.loads(body)
        raise Malformed("malformed_json", f"The body is not JSON: {error}.") from error
    _refuse_more(raw, most_items)
    return Batch([_item(bytes(one)) for one in raw], is_single=False)


def _item(text: bytes) -> HeartbeatMessage | Rejection:
    try:
        return convert(strict_json.loads(text))
    except Malformed as error:
        return Rejection(error.code, error.detail, {"body": [error.detail]})


def _unpack(body: bytes, most_bytes: int) -> bytes:
    unpacked = b""
    try:
        while body:
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            unpacked += unpacker.decompress(body, most_bytes + 1 - len(unpacked))
            if len(unpacked) > most_bytes:
                raise TooLarge("body_too_large", f"Unpacked, it is more than {most_bytes} bytes.")
            if not unpacker.eof:
                raise Malformed("malformed_gzip", "The gzip body ends before its end.")
            body = unpacker.unused_data
    except zlib.error as error:
        raise Malformed("malformed_gzip", f"The body is not gzip: {error}.") from error
    return unpacked
