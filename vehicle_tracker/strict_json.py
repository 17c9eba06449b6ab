"""JSON that means one thing only: what RFC 8259 leaves to chance is an error here."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from vehicle_tracker.errors import Malformed


def loads(body: bytes) -> Any:
    """Decode a JSON text.

    Errors: `Malformed` with the code `malformed_json` for what is not JSON in UTF-8 (NaN and
    Infinity are not, nor are half a surrogate pair or numbers past a float's range), with
    `duplicate_key` for an object that says the same key twice, or with `nested_too_deep`.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_finite,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(
            "malformed_json", f"The body is not UTF-8: byte {error.start} cannot be read."
        ) from error
    except UnicodeEncodeError as error:
        raise Malformed(
            "malformed_json", "A string holds half a surrogate pair, which is no character."
        ) from error
    except json.JSONDecodeError as error:
        raise Malformed(
            "malformed_json",
            f"The body is not JSON: {error.msg} at line {error.lineno} column {error.colno}.",
        ) from error
    except RecursionError as error:
        raise Malformed("nested_too_deep", "The JSON is nested too deep.") from error
    except ValueError as error:
        raise Malformed("malformed_json", f"The body is not JSON: {error}.") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise Malformed("duplicate_key", f"The key {twice!r} stands twice in one object.")
    return value


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is beyond the range of a number")
    return number
