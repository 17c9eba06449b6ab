"""CPU time and memory of each process of a deployment, sampled while it is measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import psycopg

from embedded.postgresql import NAME as POSTGRESQL

if TYPE_CHECKING:
    from bench.deployment import Deployment

_BACKENDS = """
SELECT pid, CASE backend_type
    WHEN 'client backend' THEN application_name
    WHEN 'autovacuum worker' THEN 'autovacuum' ELSE 'itself' END
FROM pg_stat_activity
"""


@dataclass
class _Seen:
    name: str
    base_s: float
    cpu_s: float
    rss: int


@dataclass
class Usage:
    """By process, since the first sample; call `sample` now and then, and once at the end.

    A server process of PostgreSQL goes by whom it works for: `postgresql: write-service`.
    `others` are processes of the bench's own.
    """

    deployment: Deployment
    others: dict[str, int] = field(default_factory=dict)
    _seen: dict[tuple[int, float], _Seen] = field(default_factory=dict)
    _backends: dict[int, str] = field(default_factory=dict)
    _began: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _ended: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def sample(self) -> None:
        """Look at every process once; what ended since the last look is known up to there."""
        self._ended = _machine()
        first = not self._seen
        if first:
            self._began = self._ended
        with psycopg.connect(self.deployment.url, application_name="bench") as connection:
            self._backends |= dict(connection.execute(_BACKENDS).fetchall())
        names = {pid: name for name, pid in self.deployment.supervisor.processes().items()}
        names |= {pid: name for name, pid in self.others.items()}
        here = psutil.Process()
        for process in (here, *here.children(recursive=True)):
            try:
                self._look(process, names, first=first)
            except psutil.NoSuchProcess:
                continue

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds by process, those of its children included; the largest first."""
        found: dict[str, float] = {}
        for one in self._seen.values():
            found[one.name] = found.get(one.name, 0.0) + one.cpu_s - one.base_s
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def rss_mb(self) -> dict[str, float]:
        """The most memory that a single process of each name has had; shared pages count."""
        found: dict[str, float] = {}
        for one in self._seen.values():
            found[one.name] = max(found.get(one.name, 0.0), round(one.rss / 1e6, 1))
        return found

    def machine(self) -> dict[str, float]:
        """The whole machine between first and last sample, kernel included, in seconds."""
        wall, busy, waiting = (
            after - before for before, after in zip(self._began, self._ended, strict=True)
        )
        return {"wall_s": wall, "cpu_s": busy, "waiting_for_disk_s": waiting}

    def _look(self, process: psutil.Process, names: dict[int, str], *, first: bool) -> None:
        with process.oneshot():
            times, rss = process.cpu_times(), process.memory_info().rss
            cpu_s = times.user + times.system
            key = process.pid, process.create_time()
            seen = self._seen.get(key)
            if seen is None:
                name = self._name(process, names)
                seen = self._seen[key] = _Seen(name, cpu_s if first else 0.0, cpu_s, rss)
        seen.cpu_s, seen.rss = cpu_s, max(seen.rss, rss)

    def _name(self, process: psutil.Process, names: dict[int, str]) -> str:
        parent: psutil.Process | None = process
        while parent and parent.pid not in names and parent.pid != os.getpid():
            parent = parent.parent()
        name = names.get(parent.pid, "bench") if parent else "bench"
        if name == POSTGRESQL:
            return f"{POSTGRESQL}: {self._backends.get(process.pid, 'itself')}"
        return name


def _machine() -> tuple[float, float, float]:
    times = psutil.cpu_times()
    idle = times.idle + times.iowait
    busy = sum(times[:8]) - idle
    return time.monotonic(), busy, times.iowait
