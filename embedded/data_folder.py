"""The folder everything is kept in between runs, and the locks that make it one run's alone."""

import json
import re
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from embedded.errors import CannotStart, reason
from embedded.guardian import stop_group
from embedded.locks import GROUP, SUPERVISOR, take

# The address of a unix socket holds 107 bytes; PostgreSQL's file name takes 15 of them.
LONGEST_SOCKET_FOLDER = 90
STOPPING_TAKES_S = 6.0


@dataclass(frozen=True)
class Run:
    """What the next run has to know about this one."""

    supervisor: int
    group: int
    port: int
    stopping: bool = False


class DataFolder:
    """`.data`, locked for one run.

    Two locks tell the truth whatever was killed. The supervisor's is held by the supervisor
    alone: whoever finds it taken is the second one here. The group's is inherited by every child:
    as long as it is taken, something of the last run still lives and may be writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgresql = path / "postgresql"
        self.logs = path / "logs"
        self._record = path / "run.json"
        self._sockets: Path | None = None
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self._supervisor_lock = (path / SUPERVISOR).open("a", encoding="ascii")
            self._group_lock = (path / GROUP).open("a", encoding="ascii")
        except OSError as error:
            why = reason(str(error)) or error.strerror
            raise CannotStart(
                f"{path} cannot be written to: {why}. DATA_DIR= names another folder."
            ) from error

    @property
    def group_lock(self) -> int:
        """The descriptor that every child inherits."""
        return self._group_lock.fileno()

    def lock(self) -> None:
        """Make this folder ours; stop what a killed run has left, refuse to join a living one."""
        deadline = time.monotonic() + STOPPING_TAKES_S
        while not take(self._supervisor_lock):
            run = self._last_run()
            if run is None or not run.stopping or time.monotonic() > deadline:
                raise CannotStart(_already_running(self.path, run))
            time.sleep(0.1)
        if not take(self._group_lock):
            run = self._last_run()
            if run is not None and run.group:
                stop_group(run.group)
            while not take(self._group_lock):
                if time.monotonic() > deadline + STOPPING_TAKES_S:
                    raise CannotStart(
                        f"Processes of the last run still use {self.path} and do not end."
                    )
                time.sleep(0.1)

    def unlock(self) -> None:
        """Leave the folder to the next run."""
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._record.unlink(missing_ok=True)
        self._group_lock.close()
        self._supervisor_lock.close()

    def remember(self, run: Run) -> None:
        """Write down what the next run has to know, whole or not at all."""
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(run)), encoding="ascii")
        fresh.replace(self._record)

    def socket_folder(self) -> Path:
        """Answer a folder whose path a unix socket's address and a URL can hold."""
        folder = self.path / "run"
        plain = re.fullmatch(r"[\w./-]+", str(folder), re.ASCII)
        if plain and len(str(folder)) <= LONGEST_SOCKET_FOLDER:
            folder.mkdir(exist_ok=True, mode=0o700)
        else:
            folder = Path(tempfile.mkdtemp(prefix="vehicle-tracker-"))
        self._sockets = folder
        return folder

    def _last_run(self) -> Run | None:
        try:
            return Run(**json.loads(self._record.read_text(encoding="ascii")))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def _already_running(path: Path, run: Run | None) -> str:
    if run is None:
        return f"Another run is already using {path}."
    return (
        f"It is already running from {path} at http://127.0.0.1:{run.port};"
        f" `kill {run.supervisor}` stops it."
    )
