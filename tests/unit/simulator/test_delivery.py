"""Delivery: a device keeps every heartbeat until it is answered, and behaves on the way there."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from simulator.backoff import Backoff
from simulator.dice import dice
from simulator.fleet import Vehicle
from simulator.habits import Habits, Spells
from simulator.registrations import registration
from tests.delivering import Rig, T, answering, report_once, with_rig

ALWAYS = Spells(1.0, 1.0, 0.0)


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Cue a dropped connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_: web.Request) -> web.StreamResponse:
    """Cue an answer that does not come."""
    await asyncio.Event().wait()
    raise AssertionError


async def garble(_: web.Request) -> web.StreamResponse:
    """Cue a success that is none: the page of some proxy."""
    return web.Response(text="<html>Welcome</html>", content_type="text/html")


def test_one_heartbeat_is_delivered(far_side: Any) -> None:
    """A recorded heartbeat arrives as it was planned, and is counted as accepted."""
    rig = with_rig(far_side, report_once)
    assert far_side.stored == [Vehicle(1, 0, Habits()).heartbeat(T)]
    assert (rig.tally.sent, rig.tally.accepted, rig.tally.waiting) == (1, 1, 0)
    assert (rig.lines, rig.slept) == ([], [])


@pytest.mark.parametrize(
    ("cue", "kind"),
    [
        (answering(503), "503"),
        (answering(500, {"code": "oops"}), "500"),
        (answering(429), "429"),
        (answering(408), "408"),
        (hang_up, "connection lost"),
        (hang, "time-out"),
        (garble, "unexpected answer"),
        (answering(200, [1, 2]), "unexpected answer"),
    ],
)
def test_no_proper_answer_is_retried(far_side: Any, cue: Any, kind: str) -> None:
    """Whatever is no proper answer is tried again after a wait, counted, and told once."""
    far_side.cues = [cue, cue]
    rig = with_rig(far_side, report_once, timeout_s=0.15)
    assert len(far_side.stored) == 1
    assert (rig.tally.sent, rig.tally.accepted, rig.tally.waiting) == (3, 1, 0)
    assert rig.tally.errors == {kind: 2}
    assert len(rig.lines) == 1
    assert kind in rig.lines[0]
    assert 0 <= rig.slept[0] <= 1
    assert 0 <= rig.slept[1] <= 2


def test_no_server_is_retried(far_side: Any, unused_port: int) -> None:
    """Where no server listens, the heartbeat waits until one does."""

    async def check() -> Rig:
        rig = Rig(f"http://127.0.0.1:{unused_port}")
        gone, come = asyncio.Event(), asyncio.Event()

        async def sleep(_: float) -> None:
            gone.set()
            await come.wait()

        rig.device._backoff = Backoff(dice(1), sleep)  # noqa: SLF001
        async with rig.client:
            rig.device.record(T)
            delivery = asyncio.create_task(rig.device.deliver())
            await gone.wait()
            assert rig.tally.waiting == 1
            async with far_side.listening(unused_port):
                come.set()
                await delivery
        return rig

    rig = asyncio.run(check())
    assert rig.tally.errors == {"no connection": 1}
    assert (rig.tally.accepted, rig.tally.waiting) == (1, 0)


def test_what_piled_up_is_delivered_in_order(far_side: Any) -> None:
    """After an outage the heartbeats recorded in it follow in order, as one array."""

    async def check(rig: Rig) -> None:
        rig.device.record(T)

        async def outage(_: web.Request) -> web.StreamResponse:
            for minute in range(1, 6):
                rig.device.record(T + minute * 60)
            await rig.device.deliver()  # returns at once: one is under way
            return web.Response(status=503)

        far_side.cues = [outage]
        await rig.device.deliver()

    rig = with_rig(far_side, check)
    assert [len(batch) for batch in far_side.posted] == [1, 5]
    times = [heartbeat["recorded_at"] for heartbeat in far_side.stored]
    assert times == sorted(times)
    assert (rig.tally.accepted, rig.tally.waiting) == (6, 0)


def test_a_long_backlog_goes_in_pieces(far_side: Any) -> None:
    """No array is longer than a hundred heartbeats."""

    async def check(rig: Rig) -> None:
        for minute in range(250):
            rig.device.record(T + minute * 60)
        await rig.device.deliver()

    rig = with_rig(far_side, check, buffer=250)
    assert [len(batch) for batch in far_side.posted] == [100, 100, 50]
    assert rig.tally.accepted == 250


def test_a_full_outbox_drops_the_oldest_and_says_so(far_side: Any) -> None:
    """What a bounded outbox has to drop is counted, told once, and is the oldest."""

    async def check(rig: Rig) -> None:
        for minute in range(5):
            rig.device.record(T + minute * 60)
        await rig.device.deliver()

    rig = with_rig(far_side, check, buffer=3)
    assert (rig.tally.recorded, rig.tally.dropped, rig.tally.accepted) == (5, 2, 3)
    assert rig.tally.waiting == 0
    assert len(rig.lines) == 1
    assert far_side.stored[0] == Vehicle(1, 0, Habits()).heartbeat(T + 120)


def test_refusals_are_counted_not_retried(far_side: Any) -> None:
    """A 4xx is an answer: counted by its code, shown once, not tried again."""
    unknown = answering(404, {"code": "unknown_vehicle", "detail": "No vehicle YS2…"})
    plain = answering(405)
    far_side.cues = [unknown, unknown, plain]

    async def check(rig: Rig) -> None:
        for minute in range(3):
            rig.device.record(T + minute * 60)
            await rig.device.deliver()

    rig = with_rig(far_side, check)
    assert rig.tally.rejected == {"unknown_vehicle": 2, "http_405": 1}
    assert [line.split(":")[0] for line in rig.lines] == [
        "Rejected, unknown_vehicle",
        "Rejected, http_405",
    ]
    assert (rig.tally.sent, rig.tally.waiting, rig.slept) == (3, 0, [])


def test_a_partly_refused_array_is_accounted_for(far_side: Any) -> None:
    """Each heartbeat of an array is counted as what the answer says, or as unaccounted."""
    item = {"index": 1, "code": "invalid_heartbeat", "detail": "No."}
    far_side.cues = [
        answering(202, {"accepted": 1, "duplicates": 1, "rejected": [item], "position": 9}),
        answering(422, {"code": "invalid_heartbeat", "rejected": [item] * 4}),
        answering(202, {"accepted": "many", "rejected": None}),
        answering(413, {"code": "too_large"}),
    ]

    async def check(rig: Rig) -> None:
        for _ in range(4):
            rig.device.record(T)
            await rig.device.deliver()

    rig = with_rig(far_side, check, *[Habits()] * 4)
    assert (rig.tally.accepted, rig.tally.duplicates, rig.tally.waiting) == (1, 1, 0)
    assert rig.tally.rejected == {"invalid_heartbeat": 5, "unaccounted": 5, "too_large": 4}


def test_resending_is_answered_as_a_duplicate(far_side: Any) -> None:
    """A vehicle that re-sends posts the same heartbeat again, in a request of its own."""
    rig = with_rig(far_side, report_once, Habits(resending=ALWAYS))
    assert far_side.posted[0] == far_side.posted[1]
    assert (rig.tally.recorded, rig.tally.resent) == (1, 1)
    assert (rig.tally.accepted, rig.tally.duplicates, rig.tally.waiting) == (1, 1, 0)


def test_silent_vehicles_record_nothing(far_side: Any) -> None:
    """In a silent spell nothing is recorded, and before and after it everything is."""

    async def check(rig: Rig) -> None:
        for minute in range(5):
            rig.device.record(T + minute * 60)
            await rig.device.deliver()

    rig = with_rig(far_side, check, Habits(silent=Spells(3600, 120, T + 60)))
    assert (rig.tally.recorded, rig.tally.accepted) == (3, 3)


def test_a_tunnel_delays_with_the_original_times(far_side: Any) -> None:
    """Heartbeats recorded in a tunnel arrive after it, in order, as they were recorded."""
    came: list[int] = []

    async def check(rig: Rig) -> None:
        for minute in range(5):
            assert rig.device.record(T + minute * 60) == (minute not in {1, 2})
            await rig.device.deliver()
            came.append(len(far_side.stored))

    with_rig(far_side, check, Habits(tunnel=Spells(3600, 120, T + 60)))
    lorry = Vehicle(1, 0, Habits())
    assert came == [1, 1, 1, 4, 5]
    assert far_side.stored == [lorry.heartbeat(T + minute * 60) for minute in range(5)]


def test_the_end_fetches_what_a_tunnel_holds(far_side: Any) -> None:
    """At the end of a run, heartbeats are delivered out of tunnels too."""

    async def check(rig: Rig) -> None:
        rig.device.record(T)
        await rig.device.deliver(held_too=True)

    assert with_rig(far_side, check, Habits(tunnel=ALWAYS)).tally.accepted == 1


def test_a_gateway_posts_its_vehicles_together(far_side: Any) -> None:
    """A gateway posts its vehicles' heartbeats as one array, without the one in a tunnel."""
    with_rig(far_side, report_once, Habits(), Habits(tunnel=ALWAYS), Habits(), Habits())
    (batch,) = far_side.posted
    assert [item["vin"] for item in batch] == [registration(1, n).vin for n in (0, 2, 3)]
