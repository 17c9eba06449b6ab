"""Old heartbeats in files: compressed, in order of position, and never changed.

A file is a row of blocks, each a frame of zstandard with a checksum. In a block are columns, in
msgpack: alike stands beside alike, and of positions and versions only the differences are there.
"""

from __future__ import annotations

import itertools
import operator
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import zstandard

from vehicle_tracker.archive_tables import Block
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.errors import archive_unreadable
from vehicle_tracker.logged_event import LoggedEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BLOCKS_AT_HAND = 2
"""So many are kept unpacked: whoever reads page by page asks for the same one again."""

_STREAMS_AT_HAND = 100_000
"""So many names are kept: to make a UUID of one takes as long as all else of a heartbeat."""


class _Columns(msgspec.Struct, array_like=True):
    positions: list[int]
    streams: list[bytes]
    versions: list[int]
    states: list[bytes]


class ArchiveFiles:
    """The files of one log, in a folder that all of its processes see."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder) if folder else None

    def write(self, name: str, blocks: Iterable[Sequence[LoggedEvent]]) -> list[Block]:
        """Make a file durable, in place of one of this name; where its blocks are."""
        compress = zstandard.ZstdCompressor(write_checksum=True).compress
        folder, written = self._named(name), list[Block]()
        partial = folder / f"{name}.partial"
        with partial.open("wb") as file:
            for events in blocks:
                start = file.tell()
                length = file.write(compress(_pack(events)))
                written.append(Block(events[-1].position, name, start, length))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / name)
        _keep_names(folder)
        return written

    def read(self, block: Block) -> Sequence[LoggedEvent]:
        """The heartbeats of a block. Errors: `archive_unreadable`."""
        return _unpacked(self._named(block.file), block)

    def _named(self, file: str) -> Path:
        if self._folder is None:
            raise archive_unreadable(file, "EVENT_ARCHIVE is not set")
        return self._folder


def _keep_names(folder: Path) -> None:
    """Make what was renamed in a folder durable, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _pack(events: Sequence[LoggedEvent]) -> bytes:
    columns = _Columns(
        _differences([one.position for one in events]),
        [one.stream.bytes for one in events],
        _differences([one.version for one in events]),
        [one.state for one in events],
    )
    return msgspec.msgpack.encode(columns)


def _differences(numbers: Sequence[int]) -> list[int]:
    return [*numbers[:1], *map(operator.sub, numbers[1:], numbers)]


@lru_cache(_BLOCKS_AT_HAND)
def _unpacked(folder: Path, block: Block) -> Sequence[LoggedEvent]:
    try:
        with (folder / block.file).open("rb") as file:
            file.seek(block.start)
            packed = zstandard.ZstdDecompressor().decompress(file.read(block.length))
        events = list(_events(msgspec.msgpack.decode(packed, type=_Columns)))
    except OSError as error:
        raise archive_unreadable(block.file, f"{error.strerror} (EVENT_ARCHIVE)") from error
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise archive_unreadable(block.file, "it is damaged") from error
    if events[-1].position != block.last_position:
        raise archive_unreadable(block.file, "it is another log's")
    return events


def _events(columns: _Columns) -> Iterator[LoggedEvent]:
    return map(
        LoggedEvent,
        itertools.accumulate(columns.positions),
        map(_stream, columns.streams),
        itertools.accumulate(columns.versions),
        itertools.repeat(HeartbeatRecorded.TOPIC),
        columns.states,
    )


@lru_cache(_STREAMS_AT_HAND)
def _stream(name: bytes) -> UUID:
    return UUID(bytes=name)
