"""`SEARCH=` says who finds vehicles in `make run`."""

from __future__ import annotations

import pytest

from embedded.errors import CannotStart
from embedded.options import Options


@pytest.mark.parametrize(
    ("search", "elasticsearch"),
    [("", False), ("postgresql", False), ("elasticsearch", True), ("ElasticSearch", True)],
)
def test_it_is_postgresql_unless_elasticsearch_is_asked_for(
    search: str, *, elasticsearch: bool
) -> None:
    """Nothing said is PostgreSQL; case does not matter."""
    assert Options.from_environment({"SEARCH": search}).elasticsearch is elasticsearch


def test_another_search_is_refused() -> None:
    """One sentence with what it could be."""
    with pytest.raises(CannotStart, match="postgresql or elasticsearch, not 'solr'"):
        Options.from_environment({"SEARCH": "solr"})
