"""The index of the vehicles: its mapping, in which nothing is guessed."""

from __future__ import annotations

from typing import Any

POSITION_ID = "position"
"""The one document that says how far the log has been folded into the index it is in."""

SETTINGS: dict[str, Any] = {
    # One shard, so that whoever sees the position sees everything that was stored before it.
    "number_of_shards": 1,
    "number_of_replicas": 0,
    # Changes are seen within a second, however often pages are stored.
    "refresh_interval": "500ms",
    "analysis": {
        "filter": {
            "beginnings": {
                "type": "edge_ngram",
                "min_gram": 3,
                "max_gram": 20,
                "preserve_original": True,
            }
        },
        "analyzer": {
            "beginnings": {"type": "custom", "tokenizer": "whitespace", "filter": ["beginnings"]}
        },
    },
}

_KEYWORD = {"type": "keyword"}
_KEPT = {"index": False, "doc_values": False}
"""Only read back, never asked for."""

MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "properties": {
        "kind": _KEYWORD,
        # The position's
        "position": {"type": "long"},
        "generation": {"type": "long", **_KEPT},
        "stored_us": {"type": "long", **_KEPT},
        # Customers' and vehicles'
        "version": {"type": "long", **_KEPT},
        "customer_name": {"type": "keyword", **_KEPT},
        "disconnect_after_s": {"type": "long", **_KEPT},
        # Vehicles'
        "in_use": {"type": "boolean"},
        "registered": {"type": "boolean", **_KEPT},
        "decommissioned": {"type": "boolean", **_KEPT},
        "vin": _KEYWORD,
        "registration_number": _KEYWORD,
        "customer_id": _KEYWORD,
        "customer_folded": {"type": "keyword", "index": False},
        "labels": {"type": "object", "enabled": False},
        "label": {"type": "keyword", "doc_values": False},
        "tokens": {"type": "keyword", "doc_values": False},
        "words": {
            "type": "text",
            "analyzer": "beginnings",
            "index_options": "docs",
            "norms": False,
        },
        # Whole microseconds: Elasticsearch's own dates end at milliseconds.
        "last_heartbeat_us": {"type": "long"},
        "connected_until_us": {"type": "long"},
        "placed_us": {"type": "long", **_KEPT},
        # Twice: a rectangle's edges are exact in a double, distances are the geo_point's.
        "latitude": {"type": "double", "doc_values": False},
        "longitude": {"type": "double", "doc_values": False},
        "location": {"type": "geo_point"},
    },
}


def first_index(alias: str) -> str:
    """The name of the index that is made when there is none; a rebuild makes the next one."""
    return f"{alias}-000001"


def next_index(name: str) -> str:
    """The name of the index that takes the place of this one."""
    alias, _, number = name.rpartition("-")
    return f"{alias}-{int(number) + 1:06}"
