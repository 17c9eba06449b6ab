"""The supervisor, its guardian and its logs, with small real processes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from embedded import log_file, supervisor
from embedded.errors import CannotStart
from embedded.guardian import members, stop_group
from embedded.log_file import LogFile
from embedded.supervisor import Program, Supervisor

SLEEPER = "import time\nprint('up', flush=True)\ntime.sleep(600)\n"
STUBBORN = "import signal\nfor number in (2, 15): signal.signal(number, signal.SIG_IGN)\n" + SLEEPER
PARENT = "import os\npid = os.fork()\n" + SLEEPER
WITHIN_S = 20.0


def program(name: str, code: str = SLEEPER, **how: object) -> Program:
    return Program(name, [sys.executable, "-c", code], **how)  # type: ignore[arg-type]


class Supervised:
    """A supervisor, what it said and which group it leads."""

    def __init__(self, logs: Path) -> None:
        self.said: list[str] = []
        self.group = 0
        self.logs = logs
        self.supervisor = Supervisor(logs, say=self.said.append, on_group=self.lead)

    def lead(self, group: int) -> None:
        self.group = group

    def await_that(self, condition: Callable[[], object]) -> None:
        assert self.supervisor.wait_until(lambda: bool(condition()), WITHIN_S)

    def ups(self, name: str) -> int:
        log = self.logs / f"{name}.log"
        return log.read_text().count("up\n") if log.exists() else 0


@pytest.fixture
def supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervised]:
    monkeypatch.setattr(supervisor, "FIRST_DELAY_S", 0.05)
    made = Supervised(tmp_path)
    yield made
    made.supervisor.close()
    assert not made.group or not members(made.group)


def test_restart(supervised: Supervised) -> None:
    """A program that is killed with -9 is started again, and a line says so."""
    supervised.supervisor.start(program("one"))
    supervised.await_that(lambda: supervised.ups("one") == 1)
    os.kill(members(supervised.group)[0], signal.SIGKILL)
    supervised.await_that(lambda: supervised.ups("one") == 2)
    assert supervised.said == ["one was ended by SIGKILL; starting it again in 0.05 s"]


def test_back_off(supervised: Supervised) -> None:
    """A program that dies again and again is started less and less often, with its last words."""
    supervised.supervisor.start(program("bad", "import sys; print('why'); sys.exit(3)"))
    supervised.await_that(lambda: len(supervised.said) >= 4)
    assert supervised.said[:2] == [
        "bad ended with 3; starting it again in 0.05 s",
        "  why",
    ]
    assert supervised.said[2] == "bad ended with 3; starting it again in 0.1 s"
    supervised.await_that(lambda: any("again in 0.4 s" in line for line in supervised.said))
    with pytest.raises(CannotStart, match=r"^Starting bad failed: why \(log: .*bad\.log\)\.$"):
        supervised.supervisor.check("bad")


def test_one_group(supervised: Supervised) -> None:
    """All programs are in one process group, which is not the terminal's."""
    supervised.supervisor.start(program("one"))
    supervised.supervisor.start(program("two"))
    supervised.await_that(lambda: supervised.ups("one") and supervised.ups("two"))
    assert len(members(supervised.group)) == 2
    assert supervised.group != os.getpgrp()


def test_whole_group_killed(supervised: Supervised) -> None:
    """When the whole group is killed at once, all of it comes back, in a new group."""
    supervised.supervisor.start(program("one"))
    supervised.supervisor.start(program("two"))
    supervised.await_that(lambda: supervised.ups("one") and supervised.ups("two"))
    first = supervised.group
    os.killpg(first, signal.SIGKILL)
    supervised.await_that(lambda: supervised.ups("one") == supervised.ups("two") == 2)
    assert supervised.group != first
    assert len(members(supervised.group)) == 2


def test_orphans(supervised: Supervised) -> None:
    """A worker whose parent was killed goes too: it would hold the port of the next one."""
    supervised.supervisor.start(program("parent", PARENT))
    supervised.await_that(lambda: supervised.ups("parent") == 2)
    before = set(members(supervised.group))
    parent = next(pid for pid in before if psutil.Process(pid).ppid() == os.getpid())
    os.kill(parent, signal.SIGKILL)
    supervised.await_that(lambda: supervised.ups("parent") == 4)
    assert not before & set(members(supervised.group))


def test_stop_order(supervised: Supervised) -> None:
    """Stopping ends the named programs and leaves the others running."""
    for name in ("writer", "reader"):
        supervised.supervisor.start(program(name))
    supervised.await_that(lambda: supervised.ups("writer") and supervised.ups("reader"))
    supervised.supervisor.stop("writer", "unknown", within_s=WITHIN_S)
    assert len(members(supervised.group)) == 1
    supervised.supervisor.stop("reader", within_s=WITHIN_S)
    assert members(supervised.group) == []
    assert supervised.said == []


def test_stubborn(supervised: Supervised) -> None:
    """Whoever does not end when asked is killed when the time is over."""
    supervised.supervisor.start(program("stubborn", STUBBORN))
    supervised.await_that(lambda: supervised.ups("stubborn"))
    began = time.monotonic()
    supervised.supervisor.stop("stubborn", within_s=0.3)
    assert 0.3 <= time.monotonic() - began < WITHIN_S
    assert members(supervised.group) == []


def test_run(supervised: Supervised) -> None:
    """A program that runs to its end either succeeds or says in one sentence why not."""
    supervised.supervisor.run(program("good", "print('done')"), "Doing good")
    with pytest.raises(CannotStart, match=r"^Doing bad failed: the disk is full; .*bad\.log"):
        supervised.supervisor.run(
            program("bad", "import sys; sys.exit('write: No space left on device')"), "Doing bad"
        )


def test_no_such_program(supervised: Supervised) -> None:
    """A program that is not there is one sentence."""
    with pytest.raises(
        CannotStart, match=r"^ghost cannot be started: No such file or directory\.$"
    ):
        supervised.supervisor.start(Program("ghost", ["./no-such-program"]))


SUPERVISING = """
import os, subprocess, sys
from pathlib import Path
from embedded.supervisor import Program, Supervisor
reading, writing = os.pipe()
supervised = Supervisor(Path(sys.argv[1]), on_group=lambda group: print(group, flush=True))
guardian = [sys.executable, "-m", "embedded.guardian"]
supervised.start(Program("guardian", guardian, stdin=reading))
supervised.start(Program("one", [sys.executable, "-c", sys.argv[2]]))
supervised.wait_until(lambda: False)
"""


def test_guardian(tmp_path: Path) -> None:
    """When the supervisor is killed with -9, its programs end too."""
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, str(tmp_path), SLEEPER],
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stdout
        group = int(killed.stdout.readline())
        _wait_for(lambda: (tmp_path / "one.log").exists() and (tmp_path / "one.log").read_text())
        killed.kill()
    _wait_for(lambda: not members(group))


def test_stop_group_kills(tmp_path: Path) -> None:
    """A group that does not listen is killed when patience is over."""
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-c", STUBBORN], stdout=output, process_group=0
        ) as stubborn,
    ):
        _wait_for(log.read_text)
        stop_group(stubborn.pid, patience_s=0.1)
        assert stubborn.wait(WITHIN_S) == -signal.SIGKILL
    stop_group(stubborn.pid)


def test_log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log begins anew with each run, keeps the one before and stays small."""
    path = tmp_path / "one.log"
    path.write_text("last run")
    log = LogFile(path)
    assert (path.read_text(), (tmp_path / "one.log.1").read_text()) == ("", "last run")
    monkeypatch.setattr(log_file, "LARGEST_BYTES", 10)
    with path.open("a") as writer:
        writer.write("0123456789")
        writer.flush()
        log.trim()
        assert path.read_text() == "0123456789"
        writer.write("a")
        writer.flush()
        log.trim()
        writer.write("b")
    assert path.read_text() == "b"
    assert re.fullmatch("[0-9]{10}a", (tmp_path / "one.log.1").read_text())


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
