"""What a measurement was made on: a figure without its machine says nothing."""

from __future__ import annotations

import json
import platform
import urllib.request
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg
from psycopg.sql import SQL, Identifier

PACKAGES = ("eventsourcing", "flask", "granian", "msgspec", "psycopg", "sqlalchemy")
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
TOLD = (
    "server_version",
    *DURABLE,
    "wal_compression",
    "wal_level",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
)


def machine() -> dict[str, object]:
    """The CPU, its cores, memory in GB, the kernel, and the versions of what runs."""
    return {
        "cpu": _cpu(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def postgresql(url: str) -> dict[str, str]:
    """Its version and the settings that matter. Errors: `ValueError` if it is not durable."""
    with psycopg.connect(url) as connection:
        told = {}
        for name in TOLD:
            row = connection.execute(SQL("SHOW {}").format(Identifier(name))).fetchone()
            told[name] = str(row[0]) if row else ""
    weak = [name for name, wanted in DURABLE.items() if told[name] != wanted]
    if weak:
        raise ValueError(f"PostgreSQL is not durable here: {', '.join(weak)} off")
    return told


def elasticsearch(url: str) -> str:
    """Its version; empty where there is none."""
    if not url:
        return ""
    with urllib.request.urlopen(url) as answer:
        return str(json.load(answer)["version"]["number"])


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
