"""A PostgreSQL of a test's own, that can be killed and restarted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from embedded.guardian import members
from embedded.postgresql import NAME, PostgreSQL
from embedded.supervisor import Supervisor
from tests.chaos.running import ENDS_WITHIN_S, kill_9
from tests.running import wait_for

if TYPE_CHECKING:
    import signal
    from pathlib import Path


class Database:
    """A PostgreSQL server of a test's own, `fsync` on."""

    name = NAME

    def __init__(self, folder: Path) -> None:
        logs, sockets = folder / "logs", folder / "s"
        for part in (logs, sockets):
            part.mkdir(parents=True)
        self.pid = 0
        self._supervisor = Supervisor(logs, on_group=self._remember)
        self._server = PostgreSQL(folder / "pg", sockets)
        self.url = self._server.url
        self._server.create(self._supervisor)

    def empty(self) -> str:
        """The address of a new database on it."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")

    def start(self) -> None:
        """Start it, however long its crash recovery takes."""
        self._supervisor.stop(self.name, within_s=ENDS_WITHIN_S)
        wait_for(lambda: not members(self.pid), ENDS_WITHIN_S)
        self._server.start(self._supervisor, on_recovery=lambda: None)

    def kill(self) -> None:
        """Kill the postmaster; its sessions notice by themselves."""
        kill_9(self.pid)

    def shut_down(self, how: signal.Signals) -> None:
        """SIGINT: fast, sessions are ended; SIGQUIT: immediate, without a checkpoint."""
        os.kill(self.pid, how)
        self._supervisor.stop(self.name, within_s=ENDS_WITHIN_S)

    def end(self) -> None:
        """Stop it for good."""
        self._supervisor.stop(self.name, within_s=ENDS_WITHIN_S)
        self._supervisor.close()

    def _remember(self, group: int) -> None:
        self.pid = group
