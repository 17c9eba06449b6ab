"""Files of old heartbeats give back what was written, and nothing else."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle_tracker.archive_files import ArchiveFiles
from vehicle_tracker.archive_tables import Block
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.errors import Unavailable
from vehicle_tracker.logged_event import LoggedEvent

A_LIFETIME_US = 100 * 366 * 24 * 60 * 60 * 1_000_000
rows = st.lists(
    st.tuples(
        st.integers(1, 2**40),
        st.uuids(),
        st.integers(-A_LIFETIME_US, A_LIFETIME_US),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[0],
)


def _logged(row: tuple[int, UUID, int, bytes]) -> LoggedEvent:
    position, stream, version, state = row
    return LoggedEvent(position, stream, version, HeartbeatRecorded.TOPIC, state)


@given(rows, st.integers(1, 7))
def test_heartbeats_come_back_block_by_block(
    written: list[tuple[int, UUID, int, bytes]], size: int
) -> None:
    """Whatever their versions and states are, and in whichever order blocks are asked for."""
    events = [_logged(row) for row in sorted(written)]
    parts = [events[begin : begin + size] for begin in range(0, len(events), size)]
    with TemporaryDirectory() as folder:
        files = ArchiveFiles(folder)
        blocks = files.write("heartbeats.zst", parts)
        assert [block.last_position for block in blocks] == [part[-1].position for part in parts]
        assert [files.read(block) for block in reversed(blocks)] == parts[::-1]
        assert [path.name for path in Path(folder).iterdir()] == ["heartbeats.zst"]


def test_a_file_that_is_written_again_takes_the_place_of_the_other(tmp_path: Path) -> None:
    """So does one that was killed before anybody knew of its file."""
    files = ArchiveFiles(str(tmp_path))
    (tmp_path / "one.zst").write_bytes(b"half")
    (tmp_path / "one.zst.partial").write_bytes(b"half")
    event = _logged((5, UUID(int=7), 9, b"state"))
    [block] = files.write("one.zst", [[event]])
    assert files.read(block) == [event]


def test_who_was_not_told_of_a_folder_says_so() -> None:
    """The setting that is missing is named, and the file that is asked for."""
    with pytest.raises(Unavailable, match=r"one\.zst.*EVENT_ARCHIVE"):
        ArchiveFiles("").read(Block(9, "one.zst", 0, 10))
