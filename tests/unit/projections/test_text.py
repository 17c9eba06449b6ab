"""What a person types and what was written meet in the same text."""

from __future__ import annotations

import pytest

from projections.text import folded, fragment


@pytest.mark.parametrize(
    ("written", "comparable"),
    [
        ("Åkeri Öst", "akeri ost"),
        ("  Värde\u2007 transporter ", "varde transporter"),
        ("ABC-123", "abc123"),
        ("ABC\u2011123", "abc123"),
        ("Straße", "strasse"),
        ("Søren Æbelø", "soren aebelo"),
        ("e\u0301tude", "etude"),
        ("İstanbul", "istanbul"),
        ("ﬁne", "fine"),
        ("", ""),
    ],
)
def test_case_accents_and_hyphens_do_not_count(written: str, comparable: str) -> None:
    """Spelled with or without its accents, capitals and hyphens, it is the same text."""
    assert folded(written) == comparable
    assert folded(folded(written)) == comparable


def test_a_pattern_means_its_text_literally() -> None:
    """What LIKE takes as a wildcard is escaped."""
    assert fragment(r"50%_\ ") == r"%50\%\_\\ %"
