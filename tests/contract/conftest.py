"""Which adapter a contract is held against."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", params=["relational", "elasticsearch"])
def which(request: pytest.FixtureRequest) -> str:
    """The adapter that is asked."""
    return str(request.param)
