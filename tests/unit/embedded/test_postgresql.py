"""The embedded PostgreSQL: made once, started after every kind of end."""

import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from embedded import postgresql
from embedded.data_folder import DataFolder
from embedded.errors import CannotStart
from embedded.postgresql import NAME, PostgreSQL, sizes
from embedded.supervisor import Supervisor

WITHIN_S = 30.0


class Database:
    """One data folder, whose server is started as `make run` does."""

    def __init__(self, path: Path) -> None:
        self.data = DataFolder(path)
        self.said: list[str] = []
        self.supervisor = Supervisor(self.data.logs, say=self.said.append)
        self.server = PostgreSQL(self.data.postgresql, self.data.socket_folder())
        self.url = self.server.url

    def start(self, on_recovery: Callable[[], None] = lambda: None) -> None:
        self.server.create(self.supervisor)
        self.server.start(self.supervisor, on_recovery)

    @property
    def pid(self) -> int:
        return int((self.data.postgresql / "postmaster.pid").read_text().splitlines()[0])

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder: it takes away the permissions that the server's account needs there.
    with tempfile.TemporaryDirectory(prefix="vt-") as temporary:
        yield Path(temporary) / "with space" / "data"


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    made = Database(folder)
    yield made
    made.supervisor.stop(NAME, within_s=WITHIN_S)
    made.supervisor.close()
    made.data.unlock()


def test_keeps_what_was_committed(database: Database) -> None:
    """What was committed is there after kill -9, while it restarts and after a stop."""
    database.start()
    assert database.execute("SHOW fsync") == [("on",)]
    assert database.execute("SHOW listen_addresses") == [("",)]
    database.execute("CREATE TABLE kept AS SELECT 1 AS one")
    killed = database.pid
    os.kill(killed, signal.SIGKILL)
    assert database.supervisor.wait_until(lambda: answers(database), WITHIN_S)
    assert database.pid != killed
    assert database.execute("SELECT one FROM kept") == [(1,)]
    database.supervisor.stop(NAME, within_s=WITHIN_S)
    assert database.said == ["postgresql was ended by SIGKILL; starting it again in 0.5 s"]
    database.start()
    assert database.execute("SELECT one FROM kept") == [(1,)]


def test_number_of_somebody_else(database: Database) -> None:
    """A stale file that names a living process of somebody else does not stop the start."""
    database.start()
    database.supervisor.stop(NAME, within_s=WITHIN_S)
    account = pwd.getpwnam(postgresql.ACCOUNT).pw_name if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/sleep", "60"], user=account) as other:
        stale = f"{other.pid}\n{database.data.postgresql}\n1\n5432\n/tmp\n\n 1 1\nready\n"
        (database.data.postgresql / "postmaster.pid").write_text(stale)
        database.start()
        assert other.poll() is None
        other.kill()
    assert answers(database)


def test_still_running(database: Database, folder: Path) -> None:
    """A server that still runs from the last time is stopped, and its data is kept."""
    database.start()
    database.execute("CREATE TABLE kept AS SELECT 1 AS one")
    old = psutil.Process(database.pid)
    again = Database(folder)
    again.start()
    try:
        assert not old.is_running()
        assert again.execute("SELECT one FROM kept") == [(1,)]
    finally:
        again.supervisor.stop(NAME, within_s=WITHIN_S)
        again.supervisor.close()
        again.data.unlock()


def test_half_made(database: Database) -> None:
    """A folder whose making was interrupted is made again."""
    half = database.data.path / "postgresql.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    database.start()
    assert answers(database)


def test_does_not_start(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot start says why in one sentence."""
    monkeypatch.setitem(postgresql.SETTINGS, "shared_buffers", "many")
    with pytest.raises(CannotStart, match=r"^Starting postgresql failed: .*shared_buffers"):
        database.start()


@pytest.mark.parametrize(
    ("gigabytes", "buffers", "wal"), [(0.5, 128, 512), (4, 512, 2_048), (64, 4_096, 16_384)]
)
def test_sizes_follow_memory(gigabytes: float, buffers: int, wal: int) -> None:
    """A laptop gives what it has, a large machine no more than is of use."""
    expected = {"shared_buffers": buffers, "max_wal_size": wal, "min_wal_size": wal // 8}
    assert sizes(int(gigabytes * 2**30)) == {k: f"{v}MB" for k, v in expected.items()}


def test_nothing_acknowledged_is_at_risk(database: Database) -> None:
    """The server is sized by memory, and what makes a commit durable stays on."""
    database.start()
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert database.execute(f"SHOW {name}") == [("on",)]
    asked = sizes(psutil.virtual_memory().total)["max_wal_size"]
    query = "SELECT pg_size_bytes(%s) = pg_size_bytes(current_setting('max_wal_size'))"
    assert database.execute(query % f"'{asked}'") == [(True,)]


def answers(database: Database) -> bool:
    try:
        database.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
