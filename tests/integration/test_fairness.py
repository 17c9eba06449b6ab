"""One misbehaving client, on real sockets: the others are served as if it were not there."""

from __future__ import annotations

import json
import os
import select
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from itertools import count
from socket import create_connection
from threading import Event
from typing import TYPE_CHECKING, Any

from embedded.programs import free_port
from tests.following import VINS
from tests.running import CHECKOUT, wait_for
from tests.streaming import is_ready
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from socket import socket

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

GREEDY, OTHER = "127.0.0.2", "127.0.0.3"
HEARTBEATS = "/api/v1/heartbeats"
THREADS = 8
seconds = count(1_700_000_000)


@contextmanager
def _write_service(settings: Settings, folder: Path, **more: str) -> Iterator[int]:
    """The port of a write service with few threads."""
    port = free_port()
    where = {"EVENT_LOG_URL": settings.event_log_url, "DATABASE_URL": settings.database_url}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            served("write_service", port, "--blocking-threads", str(THREADS)),
            env={**os.environ, **where, "MAX_REQUESTS": str(THREADS), **more},
            cwd=CHECKOUT,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(lambda: is_ready(port), 30)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _post(port: int, client: str, *bodies: bytes) -> list[tuple[int, Any]]:
    """The status and the answer of each, posted from a client's address on one connection."""
    answers = []
    with closing(
        HTTPConnection("127.0.0.1", port, timeout=60, source_address=(client, 0))
    ) as connection:
        for body in bodies:
            connection.request("POST", HEARTBEATS, body)
            answer = connection.getresponse()
            answers.append((answer.status, json.load(answer)))
            if answer.status == 503:
                assert answer.headers["Retry-After"] == "1"
    return answers


def _heartbeats(number: int) -> bytes:
    return json.dumps(
        [{"vin": VINS[n % len(VINS)], "attributes": {"n": next(seconds)}} for n in range(number)]
    ).encode()


def _stored(log: EventLog, after: int) -> int:
    events = (log.event(row) for row in log.read(after, 1_000_000))
    return sum(isinstance(event, HeartbeatRecorded) for event in events)


def _answered(connections: list[socket]) -> list[socket]:
    return select.select(connections, [], [], 0)[0]


def test_bodies_that_never_end_leave_threads_for_others(
    settings: Settings, fleet: Any, tmp_path: Path
) -> None:
    """Who holds his share of the threads is refused the next at once; others find theirs.

    What is held is answered when its body ends after all.
    """
    body = json.dumps({"vin": VINS[0], "recorded_at": "2026-01-31T12:00:00Z"}).encode()
    head = f"POST {HEARTBEATS} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    def begin() -> socket:
        one = create_connection(("127.0.0.1", port), timeout=20, source_address=(GREEDY, 0))
        one.sendall(head + body[:10])
        return one

    with _write_service(settings, tmp_path) as port:
        slow = [begin() for _ in range(4 * THREADS)]
        wait_for(lambda: len(_answered(slow)) == len(slow) - THREADS // 2, 20)
        refused = _answered(slow)
        assert {one.recv(12)[9:] for one in refused} == {b"503"}
        good = _post(port, OTHER, *(_heartbeats(1) for _ in range(50)))
        assert [status for status, _ in good] == [202] * 50
        held = [one for one in slow if one not in refused]
        for one in held:
            one.sendall(body[10:])
        assert {one.recv(12)[9:] for one in held} == {b"202"}
        for one in slow:
            one.close()


def test_a_flood_of_one_client_does_not_reach_the_others(
    settings: Settings, event_log: EventLog, fleet: Any, tmp_path: Path
) -> None:
    """Huge batches, wrong bodies and crowded ones without end are refused or told what is wrong.

    The other client's batches are all taken, and what was acknowledged is what is in the log.
    """
    before, enough = event_log.head(), Event()
    wrong = json.dumps([{"vin": VINS[0], "latitude": "north"}] * 500).encode()
    crowded = b"[%s]" % b",".join([b"{}"] * 2_000_000)
    bodies = (lambda: _heartbeats(2_000), lambda: wrong, lambda: crowded)

    def flood(client: str, body: Callable[[], bytes]) -> list[tuple[int, Any]]:
        answers = []
        while not enough.is_set():
            with suppress(ConnectionError):  # a large body that is refused unread
                answers += _post(port, client, body())
        return answers

    with (
        _write_service(settings, tmp_path, MAX_WAITING_HEARTBEATS="8000") as port,
        ThreadPoolExecutor(3 * THREADS) as threads,
    ):
        floods = [threads.submit(flood, GREEDY, bodies[n % 3]) for n in range(2 * THREADS)]
        good = _post(port, OTHER, *(_heartbeats(number) for number in [1, 300] * 25))
        enough.set()
        answers = [answer for one in floods for answer in one.result(60)]
    assert [status for status, _ in good] == [202] * 50
    assert {202, 422, 503} <= {status for status, _ in answers} <= {202, 413, 422, 503}
    accepted = sum(said["accepted"] for status, said in (*good, *answers) if status == 202)
    assert accepted == _stored(event_log, before)
