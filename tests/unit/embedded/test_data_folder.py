"""The data folder: one run at a time, whatever happened to the last one."""

import fcntl
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from embedded import data_folder
from embedded.data_folder import DataFolder, Run
from embedded.errors import CannotStart
from embedded.forget import forget

HOLDS_GROUP = "import sys, time; print('up', flush=True); time.sleep(600)"


def test_second_run(tmp_path: Path) -> None:
    """A second run in the same folder is told where the first one is."""
    first, second = DataFolder(tmp_path / "x"), DataFolder(tmp_path / "x")
    first.lock()
    with pytest.raises(CannotStart, match=r"^Another run is already using .*x\.$"):
        second.lock()
    run = Run(supervisor=4711, group=0, port=8123)
    first.remember(run)
    with pytest.raises(CannotStart, match=r"at http://127\.0\.0\.1:8123; `kill 4711` stops it\.$"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_waits_for_a_run_that_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is just stopping is waited for."""
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.lock()
    first.remember(replace(Run(1, 0, 8000), stopping=True))
    monkeypatch.setattr("embedded.data_folder.time.sleep", lambda _: first.unlock())
    second.lock()
    second.unlock()


def test_leftovers_are_stopped(tmp_path: Path) -> None:
    """What a killed run has left running is stopped before anything is started."""
    killed = DataFolder(tmp_path)
    killed.lock()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_GROUP],
        stdout=subprocess.PIPE,
        pass_fds=(killed.group_lock,),
        process_group=0,
    ) as left:
        assert left.stdout
        assert left.stdout.readline() == b"up\n"
        killed.remember(Run(1, left.pid, 8000))
        os.close(killed.group_lock)
        killed._supervisor_lock.close()  # noqa: SLF001 - as if it had been killed
        following = DataFolder(tmp_path)
        following.lock()
        assert left.wait(10) == -signal.SIGTERM
        following.unlock()
        with pytest.raises(OSError, match="Bad file descriptor"):
            killed._group_lock.close()  # noqa: SLF001 - closed behind its back


def test_leftovers_that_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be stopped is a sentence, not an endless wait."""
    monkeypatch.setattr(data_folder, "STOPPING_TAKES_S", 0.0)
    folder = DataFolder(tmp_path)
    with (tmp_path / "group.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CannotStart, match=r"still use .* and do not end\.$"):
            folder.lock()
    folder.unlock()


def test_not_writable(tmp_path: Path) -> None:
    """A folder that cannot be is one sentence that names DATA_DIR."""
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"cannot be written to: .*\. DATA_DIR= names another"):
        DataFolder(tmp_path / "file" / "data")


def test_socket_folder(tmp_path: Path) -> None:
    """A unix socket finds room however long or odd the checkout's path is."""
    plain = DataFolder(tmp_path / "x")
    long = DataFolder(tmp_path / ("long" * 25))
    odd = DataFolder(tmp_path / "with, space")
    for folder in (plain, long, odd):
        sockets = folder.socket_folder()
        assert sockets.is_dir()
        assert len(str(sockets)) <= data_folder.LONGEST_SOCKET_FOLDER
        assert " " not in str(sockets)
        folder.unlock()
        assert not sockets.exists()


def test_forget(tmp_path: Path) -> None:
    """Data is forgotten on request, never under a running tracker, never somebody else's."""
    data = tmp_path / "data"
    assert forget(data) == f"There is nothing in {data}."
    running = DataFolder(data)
    running.lock()
    with pytest.raises(BlockingIOError, match="is in use; stop `make run` first"):
        forget(data)
    running.unlock()
    assert forget(data) == f"{data} is gone."
    assert not data.exists()
    with pytest.raises(FileExistsError, match="is no data folder of the tracker; it stays"):
        forget(tmp_path)
