"""A whole run: the command line, the wait for the server, the end by itself and by a signal."""

import asyncio
import io
import re
import signal
import subprocess
import sys
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner
from rich.console import Console

from simulator.cli import _run, main
from simulator.client import Client, Receipt, Rejection
from simulator.progress import Progress
from simulator.settings import Settings
from simulator.simulation import simulate
from simulator.tally import Tally
from simulator.tour import EPOCH


class Time:
    """Time that passes only by sleeping, and at once."""

    def __init__(self) -> None:
        self.now = EPOCH + 1_000.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        # Real requests take real turns of the loop: let them come in between.
        await asyncio.sleep(0.001 if seconds else 0)


def simulated(far_side: Any, **options: Any) -> tuple[Tally, list[str]]:
    """Run a simulation against the far side in simulated time."""

    async def run() -> tuple[Tally, list[str]]:
        lines: list[str] = []
        tally = Tally(lines.append)
        time = Time()
        async with far_side.listening() as url:
            settings = Settings(url, **options)
            async with Client(
                url, timeout_s=settings.timeout, connections=8, clock=time.clock
            ) as client:
                await simulate(settings, client, tally, clock=time.clock, sleep=time.sleep)
        return tally, lines

    return asyncio.run(run())


def test_quarter_of_an_hour_of_the_demo_fleet(far_side: Any) -> None:
    """In 15 minutes the demo fleet reports each minute, with silence, repeats and late arrivals."""
    tally, lines = simulated(far_side, duration=15 * 60)
    assert lines == ["Vehicles: 7 registered, 0 unchanged, 0 refused."]
    times: dict[str, list[str]] = {}
    for heartbeat in far_side.stored:
        times.setdefault(heartbeat["vin"], []).append(heartbeat["recorded_at"])
    assert len(times) == 7
    assert sorted(len(set(each)) == 15 for each in times.values()) == [False] + [True] * 6
    assert tally.accepted == sum(len(set(each)) for each in times.values())
    assert tally.duplicates == tally.resent == sum(map(len, times.values())) - tally.accepted > 0
    assert any(len(batch) >= 3 for batch in far_side.posted)
    assert (tally.waiting, tally.rejected, tally.errors) == (0, {}, {})


def test_same_seed_same_heartbeats(far_side: Any) -> None:
    """Two runs of the same seed over the same time post the same heartbeats."""
    simulated(far_side, duration=120, vehicles=20)
    first = sorted(map(str, far_side.stored))
    far_side.posted = []
    simulated(far_side, duration=120, vehicles=20)
    assert sorted(map(str, far_side.stored)) == first != []


def test_count_ends_a_run(far_side: Any) -> None:
    """With a count, a run ends once so many are recorded, and delivers them all."""
    tally, _ = simulated(far_side, count=33, vehicles=20, register=False)
    assert (tally.recorded, tally.accepted, tally.waiting) == (33, 33, 0)
    assert far_side.imported == []


def test_gateways_post_arrays(far_side: Any) -> None:
    """With a batch, gateways post the heartbeats of so many vehicles at a time."""
    shares = dict.fromkeys(("silent_share", "late_share", "resend_share"), 0.0)
    simulated(far_side, count=60, vehicles=25, batch=10, **shares)
    assert {len(batch) for batch in far_side.posted} == {10, 5}


def test_the_server_is_waited_for(far_side: Any) -> None:
    """A server that is not there yet is waited for, with one line that says so."""

    async def starting(_: web.Request) -> web.StreamResponse:
        return web.Response(status=502)

    far_side.alive = [starting] * 4
    tally, lines = simulated(far_side, count=1)
    assert re.fullmatch(r"Waiting for http://127.0.0.1:\d+/ \(502\) …", lines[0])
    assert lines[1].startswith("Vehicles: 7 registered")
    assert (tally.accepted, tally.errors) == (1, {})


def test_the_end_is_not_waited_for_in_vain(far_side: Any) -> None:
    """A run whose last heartbeats find no server ends after a time-out and says what is left."""

    async def away(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    far_side.cues = [away] * 100_000
    tally, lines = simulated(far_side, count=1, register=False, timeout=0.2)
    assert tally.waiting >= 1
    assert lines[-1] == f"The server did not answer in time; {tally.waiting} were left waiting."


def test_the_tally_accounts_for_everything() -> None:
    """The line of the tally names every kind of refusal and error with its count."""
    tally = Tally(lambda _: None, recorded=2_010, resent=1, sent=1_005, dropped=3)
    tally.count(Receipt(1_000, 1, [Rejection("unknown_vehicle", "")] * 2))
    tally.errors.update({"503": 4, "time-out": 1})
    assert str(tally) == (
        "sent 1,005 · accepted 1,000 · duplicates 1 · rejected 2 (unknown_vehicle: 2)"
        " · waiting 1,005 · dropped 3 · errors 5 (503: 4, time-out: 1)"
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown(terminal: bool) -> None:  # noqa: FBT001 - a case
    """Progress is a live line on a terminal and plain lines of ten seconds elsewhere."""
    out = io.StringIO()
    time = Time()
    tally = Tally(lambda _: None)
    begun = time.now

    async def sleep(seconds: float) -> None:
        await time.sleep(seconds)
        tally.recorded += 30
        tally.accepted += 30
        if tally.accepted == 90:
            raise asyncio.CancelledError

    console = Console(file=out, force_terminal=terminal, width=200, highlight=False)
    progress = Progress(console, time.clock, sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(progress.watch(tally))
    progress.notice("[a] line as it is")
    progress.close(tally)
    seconds = time.now - begun
    assert seconds == (1.5 if terminal else 30)
    assert "accepted 30 · duplicates 0 · rejected 0" in out.getvalue()
    assert ("60.0/s" if terminal else "3.0/s") in out.getvalue()
    assert "[a] line as it is" in out.getvalue()
    assert f"Stopped after {seconds:.0f} s: sent 0 · accepted 90" in out.getvalue()


def test_a_run_from_the_inside(far_side: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The command's own run ends by itself and closes with a summary."""

    async def run() -> None:
        async with far_side.listening() as url:
            await _run(Settings(url, vehicles=50, interval=0.5, count=20))

    asyncio.run(run())
    out = capsys.readouterr().out
    assert "Vehicles: 50 registered" in out
    assert re.search(r"Stopped after \d+ s: .* waiting 0", out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_politely(number: signal.Signals, unused_port: int) -> None:
    """Ctrl-C and SIGTERM end even a run that waits for its server: a closing line, exit code 0."""
    command = [sys.executable, "-m", "simulator", "--url", f"http://127.0.0.1:{unused_port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        assert b"Waiting for http://127.0.0.1" in process.stdout.readline()
        process.send_signal(number)
        out, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    assert out.decode().startswith("Stopped after 0 s: sent 0")
    assert out.count(b"\n") == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--vehicles", "-1"),
        ("--vehicles", "many"),
        ("--interval", "0"),
        ("--interval", "nan"),
        ("--interval", "inf"),
        ("--batch", "0"),
        ("--silent-share", "1.5"),
        ("--timeout", "-2"),
        ("--count", "0"),
        ("--url", "127.0.0.1:8000"),
        ("--url", "ftp://here"),
        ("--url", "http://"),
        ("--url", "http://here:99999"),
        ("--url", "http://he re"),
        ("--url", "http://here?x=1"),
    ],
)
def test_bad_options_are_explained(option: str, value: str) -> None:
    """A bad option is named in one clear sentence, without a traceback."""
    result = CliRunner().invoke(main, [option, value])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.output


def test_options_come_from_the_environment_too() -> None:
    """Every option can be set by an environment variable of its name, and the help says so."""
    result = CliRunner().invoke(main, env={"SIMULATOR_VEHICLES": "-1"})
    assert "'--vehicles'" in result.output
    text = CliRunner().invoke(main, ["--help"]).output
    for parameter in main.params:
        assert f"SIMULATOR_{parameter.name}".upper() in "".join(text.split())
