"""Text made comparable: what a person types finds what was written, however it is spelled."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SPECIAL = re.compile(r"([\\%_])")
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "ł": "l", "þ": "th"})


@lru_cache(maxsize=100_000)
def folded(text: str) -> str:
    """Without case, accents, hyphens and surplus spaces: `Åkeri-Öst` and `AKERIOST` are the same.

    Hyphens go on both sides, so that ABC-123 finds ABC123 and the other way round. The same names
    and labels come again and again: they are remembered.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (c for c in decomposed if unicodedata.category(c) not in ("Mn", "Pd"))
    return " ".join("".join(kept).casefold().translate(_LETTERS).split())


def literally(text: str) -> str:
    """The text as a part of a pattern of SQL's LIKE that stands for itself."""
    return _SPECIAL.sub(r"\\\1", text)


def fragment(text: str) -> str:
    """A pattern of LIKE: the text anywhere."""
    return f"%{literally(text)}%"
