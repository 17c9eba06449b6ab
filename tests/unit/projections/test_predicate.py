"""A word with one typo begins a word just where the search's patterns say so."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from projections.vehicle_search.predicate import begins_nearly
from projections.vehicle_search.words import typos

LETTERS = "ab%_\\"


def _expression(pattern: str) -> str:
    """A pattern of LIKE as a regular expression."""
    parts = re.findall(r"\\.|[^\\]", pattern)
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(part) or re.escape(part[-1]) for part in parts)


@given(st.text(LETTERS + " ", max_size=12), st.text(LETTERS, min_size=4, max_size=6))
def test_a_typo_is_what_the_patterns_say(text: str, word: str) -> None:
    """Whatever is looked for in whatever: the predicate and SQL's patterns agree."""
    text = " ".join(text.split())
    found = any(re.fullmatch(_expression(pattern), f" {text}") for pattern in typos(word))
    assert begins_nearly(text, word) is found
