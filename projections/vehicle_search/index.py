"""The index of the vehicles: its mapping, in which nothing is guessed."""

from __future__ import annotations

from typing import Any

from projections.elasticsearch_index import KEYWORD, POSITION_FIELDS, Definition
from projections.vehicle_search.document import BEGINNINGS, IN_A_ROW

_SETTINGS: dict[str, Any] = {
    # One shard, so that whoever sees the position sees everything that was stored before it.
    "number_of_shards": 1,
    "number_of_replicas": 0,
    # Changes are seen within a second, however often pages are stored.
    "refresh_interval": "500ms",
    # A search costs by the segment, and each refresh adds one: so they are kept few, and many are
    # merged at once, for else each would be merged again and again. Merging is most of what
    # writing costs; documents that were replaced stay longer, for an index that is a tenth larger.
    "merge.policy.segments_per_tier": 6,
    "merge.policy.max_merge_at_once": 40,
    "merge.policy.floor_segment": "8mb",
    "merge.policy.deletes_pct_allowed": 50,
    "analysis": {
        "filter": {
            "beginnings": {
                "type": "edge_ngram",
                "min_gram": BEGINNINGS[0],
                "max_gram": BEGINNINGS[-1],
                "preserve_original": True,
            }
        },
        "tokenizer": {"in_a_row": {"type": "ngram", "min_gram": IN_A_ROW, "max_gram": IN_A_ROW}},
        "analyzer": {
            "beginnings": {"type": "custom", "tokenizer": "whitespace", "filter": ["beginnings"]},
            "in_a_row": {"type": "custom", "tokenizer": "in_a_row"},
        },
    },
}

_MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "properties": {
        **POSITION_FIELDS,
        "vin": KEYWORD,
        "registration_number": KEYWORD,
        "customer_id": KEYWORD,
        "customer_folded": KEYWORD,
        "label": {"type": "keyword", "doc_values": False},
        "fragments": {"type": "text", "analyzer": "in_a_row", "norms": False},
        "words": {
            "type": "text",
            "analyzer": "beginnings",
            "index_options": "docs",
            "norms": False,
        },
        "status": KEYWORD,
        "grid_row": {"type": "integer"},
        "grid_column": {"type": "integer"},
        "limit_s": {"type": "long"},
        # Of silent ones only, in whole microseconds: Elasticsearch's dates end at milliseconds.
        "last_heartbeat_us": {"type": "long"},
        "connected_until_us": {"type": "long"},
    },
}

DEFINITION = Definition(4, _SETTINGS, _MAPPINGS)
