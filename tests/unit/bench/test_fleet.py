"""The fleet that the benches post: what it says is what the figures are of."""

from __future__ import annotations

import msgspec
import pytest

from bench.fleet import BLOCK, Rounds, everybody, number_of, vin
from write_service.heartbeat_message import HeartbeatMessage

VEHICLES = 3 * BLOCK
BEGINS = 1_800_000_000.25
RATE = 50.0


def test_every_heartbeat_is_one_that_the_tracker_takes() -> None:
    """What is posted is valid, of vehicles of the block, and recorded before it is due."""
    rounds = Rounds(VEHICLES, RATE, BEGINS)
    for request in range(5 * rounds.blocks):
        items = msgspec.json.decode(rounds.request(request).body, type=list[HeartbeatMessage])
        block = request % rounds.blocks
        assert {number_of(one.vin) // BLOCK for one in items} == {block}
        assert all(
            one.recorded_at and one.recorded_at.timestamp() < rounds.due(request) for one in items
        )


def test_what_is_counted_is_what_is_posted() -> None:
    """A duplicate was posted before, and nothing else was; a hundredth each is late or repeated."""
    rounds = Rounds(VEHICLES, RATE, BEGINS)
    known: set[tuple[str, object]] = set()
    for request in range(8 * rounds.blocks):
        sent = rounds.request(request)
        items = msgspec.json.decode(sent.body, type=list[HeartbeatMessage])
        keys = {(one.vin, one.recorded_at) for one in items}
        assert len(keys) == len(items) == sent.heartbeats
        assert len(keys & known) == sent.duplicates
        known |= keys
    assert (sent.late, sent.duplicates) == (10, 10)
    assert (sent.fresh + sent.late) / RATE == pytest.approx(rounds.spacing_s, rel=0.01)


def test_the_silent_are_silent_for_four_rounds() -> None:
    """One in two hundred falls silent each round, and speaks again after four."""
    rounds = Rounds(BLOCK, RATE, BEGINS)
    said = [
        {
            one.vin
            for one in msgspec.json.decode(rounds.request(n).body, type=list[HeartbeatMessage])
        }
        for n in range(12)
    ]
    fell_silent = [vin(n) for n in range(BLOCK) if vin(n) in said[3] and vin(n) not in said[4]]
    assert len(fell_silent) >= BLOCK // 200
    assert all(any(one in later for later in said[5:10]) for one in fell_silent)


def test_the_fleet_is_whole_when_everybody_is_heard() -> None:
    """One heartbeat of each vehicle of a block, in order."""
    items = msgspec.json.decode(everybody(2, 7, BEGINS), type=list[HeartbeatMessage])
    assert [one.vin for one in items] == [vin(n) for n in range(2 * BLOCK, 3 * BLOCK)]
