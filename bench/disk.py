"""What the stores have on disk, and how much PostgreSQL has written of its write-ahead log."""

from __future__ import annotations

from typing import NamedTuple

import psycopg

_TABLES = """
SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
LOG = "vehicle_tracker_events"
"""The event log's table; partitions of it are called so and more."""


class Disk(NamedTuple):
    """Bytes: of each table (with and without its indexes), and of the write-ahead log so far."""

    tables: dict[str, int]
    indexes: dict[str, int]
    wal: int

    @classmethod
    def of(cls, url: str) -> Disk:
        """As it is now."""
        with psycopg.connect(url, application_name="bench") as connection:
            rows = connection.execute(_TABLES).fetchall()
            wal = connection.execute("SELECT pg_current_wal_lsn() - '0/0'").fetchone()
        tables = {name: size for name, size, _ in rows}
        indexes = {name: size for name, _, size in rows}
        return cls(tables, indexes, int(wal[0]) if wal else 0)

    def since(self, before: Disk, heartbeats: int) -> dict[str, object]:
        """What was added, in MB by table, and in bytes a heartbeat."""
        added = {name: self.tables[name] - before.tables.get(name, 0) for name in self.tables}
        indexes = {name: self.indexes[name] - before.indexes.get(name, 0) for name in self.indexes}
        of_log = [name for name in added if name.startswith(LOG)]
        wal = self.wal - before.wal
        return {
            "log_bytes_a_heartbeat": sum(added[name] for name in of_log) / heartbeats,
            "log_index_bytes_a_heartbeat": sum(indexes[name] for name in of_log) / heartbeats,
            "wal_bytes_a_heartbeat": wal / heartbeats,
            "wal_mb": wal / 1e6,
            "added_mb": {name: (added[name] + indexes[name]) / 1e6 for name in sorted(added)},
        }
