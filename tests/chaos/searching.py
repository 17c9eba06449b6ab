"""An Elasticsearch of a test's own, that can be killed, filled up and emptied."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psutil

from embedded.elasticsearch import NAME, find_or_provision
from embedded.guardian import members
from embedded.supervisor import Supervisor
from projections.catalog import VEHICLE_SEARCH
from projections.elasticsearch import connect

if TYPE_CHECKING:
    from pathlib import Path


class Searching:
    """The server. It is always ours: one that somebody named may not be killed."""

    name = NAME

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._group = 0
        self._supervisor = Supervisor(folder, on_group=self._remember)
        ours = {name: value for name, value in os.environ.items() if name != "ELASTICSEARCH_URL"}
        show = sys.stderr.write
        self._server = find_or_provision(folder / "server", show, environment=ours, heap="384m")
        self.url = self._server.url

    def start(self) -> None:
        """Start it, or start it again, and return when it answers."""
        self._server.start(self._supervisor)

    def kill(self) -> None:
        """Kill every process of it with -9."""
        with ExitStack() as gone:
            for pid in members(self._group):
                process = psutil.Process(pid)
                gone.callback(process.wait, 20)
                process.kill()
        self.end()
        port = self.url.rpartition(":")[2]
        if self._server.program and self._server.program.command[0] == "docker":
            kill = (
                f"docker ps --quiet --filter publish={port} | xargs --no-run-if-empty docker kill"
            )
            subprocess.run(["sh", "-c", kill], check=True)

    def end(self) -> None:
        """Stop it."""
        self._supervisor.stop(self.name, within_s=20)

    def forget(self) -> None:
        """Lose every index of ours."""
        with connect(self.url, 30) as client:
            if client.indices.exists_alias(name=VEHICLE_SEARCH):
                for index in client.indices.get_alias(name=VEHICLE_SEARCH):
                    client.indices.delete(index=index)

    def fill_up(self, *, full: bool) -> None:
        """What Elasticsearch itself does to an index when its disk is full, and when it is not."""
        block = {"index.blocks.read_only_allow_delete": True if full else None}
        with connect(self.url, 30) as client:
            client.indices.put_settings(index=VEHICLE_SEARCH, settings=block)

    def _remember(self, group: int) -> None:
        self._group = group
