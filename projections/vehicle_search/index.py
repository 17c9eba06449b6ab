"""The index of the vehicles: its mapping, in which nothing is guessed."""

from __future__ import annotations

from typing import Any

from projections.elasticsearch_index import KEPT, KEYWORD, POSITION_FIELDS, Definition

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

MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "properties": {
        **POSITION_FIELDS,
        # Customers' and vehicles'
        "version": {"type": "long", **KEPT},
        "customer_name": {"type": "keyword", **KEPT},
        "disconnect_after_s": {"type": "long", **KEPT},
        # Vehicles'
        "in_use": {"type": "boolean"},
        "registered": {"type": "boolean", **KEPT},
        "decommissioned": {"type": "boolean", **KEPT},
        "vin": KEYWORD,
        "registration_number": KEYWORD,
        "customer_id": KEYWORD,
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
        "placed_us": {"type": "long", **KEPT},
        # Twice: a rectangle's edges are exact in a double, distances are the geo_point's.
        "latitude": {"type": "double", "doc_values": False},
        "longitude": {"type": "double", "doc_values": False},
        "location": {"type": "geo_point"},
    },
}

DEFINITION = Definition(SETTINGS, MAPPINGS)
