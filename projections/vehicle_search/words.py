"""The words of a query, and the patterns of SQL's LIKE that find them."""

from __future__ import annotations

from projections.text import folded, fragment, literally
from projections.vehicle_search.model import SHORTEST_FORGIVEN


def words(q: str) -> list[str]:
    """What must be found, each folded as the text is in which it is looked for."""
    return folded(q).split()


def typos(word: str) -> list[str]:
    """The beginning of a word with one typo in it; nothing for one too short to be forgiven.

    They are to be matched with a text in which a space is before each word.
    """
    if len(word) < SHORTEST_FORGIVEN:
        return []
    cuts = [(literally(word[:i]), word[i:]) for i in range(len(word) + 1)]
    found = {f"% {a}_{literally(b[1:])}%" for a, b in cuts if b}
    found |= {f"% {a}{literally(b[1:])}%" for a, b in cuts if b}
    found |= {f"% {a}_{literally(b)}%" for a, b in cuts if b}
    found |= {f"% {a}{literally(b[1] + b[0] + b[2:])}%" for a, b in cuts if len(b) > 1}
    return sorted(found)


def halves(word: str) -> list[str]:
    """Patterns of which one is found wherever the word is with one typo in it, and few elsewhere.

    One typo is in one half of the word, so the other half is there as it is, unless the two
    characters in the middle changed places.
    """
    middle = len(word) // 2
    swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    return [fragment(part) for part in (word[:middle], word[middle:], swapped)]
