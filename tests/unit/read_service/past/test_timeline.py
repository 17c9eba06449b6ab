"""A timeline's pages: whatever comes in between, nothing is skipped and nothing repeated."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from read_service.past.timeline import Entry, Place, page_of

places = st.sets(
    st.builds(
        Place, st.integers(0, 6), st.sampled_from(["", "connection", "a"]), st.integers(0, 4)
    ),
    max_size=30,
)
"""Many things of one instant, and of one stream."""


def _entries(found: set[Place]) -> list[Entry]:
    return [Entry(place, str(place)) for place in found]


@given(found=places, limit=st.integers(1, 7))
def test_pages_are_the_timeline_cut_in_pieces(found: set[Place], limit: int) -> None:
    """Page after page, it is all there is, the newest first; only the last one is shorter."""
    pages, before = [], None
    while True:
        page, before = page_of(_entries(found), before, limit)
        pages.append(page)
        if before is None:
            break
    told = [one.place for page in pages for one in page]
    assert told == sorted(found, reverse=True)
    assert all(len(page) == limit for page in pages[:-1])


@given(found=places, late=st.lists(places, max_size=8), limit=st.integers(1, 7))
def test_what_comes_while_it_is_read_moves_nothing(
    found: set[Place], late: list[set[Place]], limit: int
) -> None:
    """Whatever comes between two pages, all that was there before comes once, in order."""
    now, told, before = set(found), [], None
    coming = iter(late)
    while True:
        page, before = page_of(_entries(now), before, limit)
        told += [one.place for one in page]
        if before is None:
            break
        now |= next(coming, set())
    assert told == sorted(set(told), reverse=True)
    assert set(told) >= found
