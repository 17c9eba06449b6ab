"""Programs that are started, killed and started again from outside, each on its own."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Protocol

import psutil

from embedded.guardian import members
from embedded.supervisor import Program, Supervisor
from tests.running import wait_for

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

ENDS_WITHIN_S = 20.0


class Victim(Protocol):
    """Whatever can be killed with -9 and started again."""

    @property
    def name(self) -> str:
        """What it is."""

    def kill(self) -> None:
        """End it without a word."""

    def start(self) -> None:
        """Start it, or start it again; what a killed one left behind is ended first."""


class Running:
    """One program. Its supervisor is never asked to tick, so nothing restarts it but the test."""

    def __init__(self, program: Program, logs: Path) -> None:
        self.name = program.name
        self.pid = 0
        self._program = program
        self._supervisor = Supervisor(logs, on_group=self._remember)

    def start(self) -> None:
        """Start it, or start it again."""
        self.end()
        self._supervisor.start(self._program)

    def resume(self) -> None:
        """Start it unless it runs."""
        if not self.pid or not members(self.pid):
            self.start()

    def kill(self) -> None:
        """Kill the process itself; its workers are left to themselves."""
        kill_9(self.pid)

    def freeze(self) -> None:
        """Let it do nothing, without knowing it, until it is thawed."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        os.kill(self.pid, signal.SIGCONT)

    def kill_a_worker(self, dice: Random) -> None:
        """Kill one of the processes that it started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            workers = [
                child.pid
                for child in psutil.Process(self.pid).children()
                if "resource_tracker" not in " ".join(child.cmdline())
            ]
            kill_9(dice.choice(workers))

    def end(self) -> None:
        """Stop it as an operator does."""
        with contextlib.suppress(ProcessLookupError):
            self.thaw()
        self._supervisor.stop(self.name, within_s=ENDS_WITHIN_S)
        if self.pid:
            wait_for(lambda: not members(self.pid), ENDS_WITHIN_S)

    def _remember(self, group: int) -> None:
        self.pid = group


class Worker:
    """A worker process of a service. The service ends without it and is started again."""

    def __init__(self, service: Running, dice: Random) -> None:
        self.name = f"a worker of {service.name}"
        self._service = service
        self._dice = dice

    def kill(self) -> None:
        """Kill one worker."""
        self._service.kill_a_worker(self._dice)

    def start(self) -> None:
        """Start the service again."""
        self._service.start()


class Everything:
    """A power cut."""

    name = "everything"

    def __init__(self, victims: list[Victim]) -> None:
        self._victims = victims

    def kill(self) -> None:
        """Kill all of them before any is started again."""
        for victim in self._victims:
            victim.kill()

    def start(self) -> None:
        """Start all of them."""
        for victim in self._victims:
            victim.start()


def kill_9(pid: int) -> None:
    """End a process without a word, unless it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
