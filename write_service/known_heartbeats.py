"""Which heartbeats the log holds already, mostly told without looking.

Most are newer than all there are of their vehicle. So the newest version of each stream is
remembered; only what is not newer is looked for in the log, and PostgreSQL finds a place in the
primary key once a heartbeat instead of twice. What other write processes append is read before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vehicle_tracker.logged_event import LEAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vehicle_tracker.writing import Writing

MOST_READ = 50_000
"""Of more heartbeats of other processes nothing is read: all is looked up anew."""


class KnownHeartbeats:
    """What a log holds of heartbeats, each known by its stream's 16 bytes and its version.

    Asked while the writers' lock is held, as nobody else may append then; not to be shared by
    threads. `as_of` is a position, from which on it reads what was appended.
    """

    def __init__(self, as_of: int) -> None:
        self.as_of = as_of
        self._newest: dict[bytes, int] = {}
        """At least the newest version of a stream: one that was never committed does no harm."""

    def are_new(self, heartbeats: Sequence[tuple[bytes, int]], writing: Writing) -> list[bool]:
        """Of each heartbeat whether the log does not hold it; of one given twice the first may be.

        Those that are new are to be appended.
        """
        archived = self._catch_up({stream for stream, _ in heartbeats}, writing)
        newest = self._newest
        doubtful: list[tuple[bytes, int]] = []
        for one in heartbeats:
            stream, version = one
            if version > newest[stream] and version > archived:
                newest[stream] = version
            else:
                doubtful.append(one)
        if not doubtful:
            return [True] * len(heartbeats)
        known = writing.known(doubtful)
        new: list[bool] = []
        for one in heartbeats:
            new.append(one not in known)
            known.add(one)
        return new

    def _catch_up(self, streams: set[bytes], writing: Writing) -> int:
        """Read what others appended; the newest version that is archived.

        What is not newer than that is never told by memory: the log may have it no longer.
        """
        newest = self._newest
        others, archived = writing.heartbeats_after(self.as_of, MOST_READ)
        if len(others) == MOST_READ:
            newest.clear()
        for stream, version in others:
            if version > newest.get(stream, version):
                newest[stream] = version
        unheard = [stream for stream in streams if stream not in newest]
        if unheard:
            newest |= dict.fromkeys(unheard, LEAST) | writing.newest_versions(unheard)
        return archived
