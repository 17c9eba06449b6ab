"""One typo is forgiven, whatever it is and wherever it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.vehicle_search.words import halves, typos, words

WORDS = st.text(alphabet="abc1%_\\", min_size=4, max_size=17)


def _matches(pattern: str, text: str) -> bool:
    """What PostgreSQL's LIKE says."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return bool(
        re.fullmatch("".join(wild.get(p, re.escape(p[-1])) for p in parts), text, re.DOTALL)
    )


@given(word=WORDS, data=st.data())
def test_any_single_typo_is_found(word: str, data: st.DataObject) -> None:
    """Another character, one too many, one too few, two swapped: found, also by the prefilter."""
    i = data.draw(st.integers(0, len(word) - 1))
    other = data.draw(st.sampled_from("abcz%_"))
    changed = data.draw(
        st.sampled_from(
            [
                word[:i] + other + word[i + 1 :],
                word[:i] + word[i + 1 :],
                word[: i + 1] + other + word[i + 1 :],
                word[:i] + word[i : i + 2][::-1] + word[i + 2 :],
            ]
        )
    )
    text = f"before {changed} after"
    assert any(_matches(pattern, text) for pattern in typos(word))
    assert any(_matches(pattern, text) for pattern in halves(word))


@given(word=st.text(alphabet="abc", min_size=5, max_size=9))
def test_two_typos_are_not_forgiven(word: str) -> None:
    """Two characters that are nowhere in the word are one too many."""
    text = word[0] + "x" + word[2] + "y" + word[4:]
    assert not any(_matches(pattern, text) for pattern in typos(word))


@pytest.mark.parametrize("word", ["", "a", "abc"])
def test_short_words_are_taken_literally(word: str) -> None:
    """Three characters with a typo could be anything."""
    assert typos(word) == []


def test_a_query_is_words() -> None:
    """Words are told apart by spaces; a hyphen joins."""
    assert words("  ABC-123  Åkeri ") == ["abc123", "akeri"]
    assert words(" - ") == []
