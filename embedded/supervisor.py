"""Keeps programs running: starts them again when they die, stops them in order, leaves nobody."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from embedded.errors import CannotStart, failed, last_lines, reason
from embedded.guardian import members
from embedded.log_file import LogFile

TICK_S = 0.05
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 15.0
SETTLED_AFTER_S = 10.0
DEATHS_TO_GIVE_UP = 4
LINES_SHOWN = 5
DYING_TAKES_S = 0.5
TRIM_LOGS_EVERY_S = 5.0


@dataclass(frozen=True)
class Program:
    """How one program is started and how it is asked to end."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    folder: Path | None = None
    stdin: int = subprocess.DEVNULL


@dataclass
class _Child:
    program: Program
    log: LogFile
    process: subprocess.Popen[bytes]
    began: float
    deaths: int = 0
    due: float | None = None


class Supervisor:
    """Runs programs in one process group of their own.

    It is their own so that Ctrl-C reaches only the supervisor, which then stops them in the right
    order. `inherited` is the descriptor of a lock that every child holds as long as it lives;
    `on_group` hears of the group's id, `say` of every death and restart.
    """

    def __init__(
        self,
        logs: Path,
        *,
        inherited: int | None = None,
        say: Callable[[str], None] = lambda _: None,
        on_group: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._logs = logs
        self._inherited = () if inherited is None else (inherited,)
        self._say = say
        self._on_group = on_group
        self._children: dict[str, _Child] = {}
        self._group = 0
        self._logs_due = 0.0

    def start(self, program: Program) -> None:
        """Start a program and keep it running from now on."""
        log = LogFile(self._logs / f"{program.name}.log")
        process = self._spawn(program, log)
        self._children[program.name] = _Child(program, log, process, time.monotonic())

    def run(self, program: Program, what: str) -> None:
        """Run a program to its end; when it fails say so, why, and where its log is."""
        log = LogFile(self._logs / f"{program.name}.log")
        process = self._spawn(program, log)
        self.wait_until(lambda: process.poll() is not None)
        if process.returncode:
            raise failed(what, log.path)

    def wait_until(self, condition: Callable[[], bool], within_s: float = float("inf")) -> bool:
        """Keep everything running until the condition holds; answer whether it did in time."""
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.tick()
            time.sleep(TICK_S)
        return True

    def tick(self) -> None:
        """See who has died, start again who is due, keep the logs small."""
        for child in self._children.values():
            if child.due is not None and time.monotonic() >= child.due:
                child.process = self._spawn(child.program, child.log)
                child.began, child.due = time.monotonic(), None
            elif child.due is None and child.process.poll() is not None:
                self._mourn(child)
        if time.monotonic() > self._logs_due:
            self._logs_due = time.monotonic() + TRIM_LOGS_EVERY_S
            for child in self._children.values():
                child.log.trim()

    def processes(self) -> dict[str, int]:
        """The process id of each program, which its children have another than."""
        return {name: child.process.pid for name, child in self._children.items()}

    def check(self, name: str) -> None:
        """Give up, in one sentence, on a program that keeps dying."""
        child = self._children[name]
        if child.deaths >= DEATHS_TO_GIVE_UP:
            raise failed(f"Starting {name}", child.log.path)

    def stop(self, *names: str, within_s: float) -> None:
        """Ask these programs to end; whoever has not when the time is over is killed."""
        leaving = [self._children.pop(name) for name in names if name in self._children]
        deadline = time.monotonic() + within_s
        for child in leaving:
            if child.process.poll() is None:
                child.process.send_signal(child.program.stop_signal)
        for child in leaving:
            try:
                child.process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._end_orphans()

    def close(self) -> None:
        """End whoever is left in the group, at once."""
        self.stop(*self._children, within_s=0)
        deadline = time.monotonic() + DYING_TAKES_S
        while self._group and (left := members(self._group)) and time.monotonic() < deadline:
            for process in left:
                _kill(process)
            time.sleep(TICK_S)

    def _spawn(self, program: Program, log: LogFile) -> subprocess.Popen[bytes]:
        leads = not self._group or not members(self._group)
        with log.path.open("ab") as output:
            try:
                process = subprocess.Popen(  # noqa: S603 - the commands are ours
                    program.command,
                    env={**os.environ, **program.environment},
                    stdin=program.stdin,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=program.folder,
                    user=program.account,
                    process_group=0 if leads else self._group,
                    pass_fds=self._inherited,
                )
            except OSError as error:
                why = reason(str(error)) or error.strerror
                raise CannotStart(f"{program.name} cannot be started: {why}.") from error
        if leads:
            self._group = process.pid
            self._on_group(self._group)
        return process

    def _mourn(self, child: _Child) -> None:
        """Say that a child died and when it comes back; nothing of it may be in its way."""
        self._end_orphans()
        lived_s = time.monotonic() - child.began
        child.deaths = 1 if lived_s > SETTLED_AFTER_S else child.deaths + 1
        delay_s = min(FIRST_DELAY_S * 2 ** (child.deaths - 1), LONGEST_DELAY_S)
        child.due = time.monotonic() + delay_s
        code = child.process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        self._say(f"{child.program.name} {how}; starting it again in {delay_s:g} s")
        if code > 0:
            for line in last_lines(child.log.path, LINES_SHOWN):
                self._say(f"  {line}")

    def _end_orphans(self) -> None:
        """Kill what dead children have left: a worker of theirs may still hold their port."""
        if not self._group:
            return
        ours = {process.pid for process in psutil.Process().children(recursive=True)}
        for process in set(members(self._group)) - ours:
            _kill(process)


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return
