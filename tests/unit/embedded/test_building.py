"""What is made before anything starts: Python packages, the dashboard; made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded import dashboard, install
from embedded.dashboard import Dashboard
from embedded.errors import CannotStart
from embedded.install import VirtualEnvironment
from embedded.stamp import Stamp
from embedded.supervisor import Program

FAKE = "#!/bin/sh\necho \"$0 $*\" >> '{calls}'\n{then}\n"


class Checkout:
    """A checkout whose virtual environment is made of scripts that only note their calls."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.calls = path / "calls"
        (path / "requirements").mkdir()
        for name in ("embedded", "dev", "uv"):
            (path / "requirements" / f"{name}.lock").write_text(name)
        (path / ".venv" / "bin").mkdir(parents=True)
        (path / ".venv" / ".installed-from").write_text(f"{path / '.venv'}\n")
        self.fake("python")
        self.fake("uv")

    def fake(self, name: str, then: str = "exit 0") -> None:
        script = self.path / ".venv" / "bin" / name
        script.write_text(FAKE.format(calls=self.calls, then=then))
        script.chmod(0o755)

    def install(self, name: str) -> list[str]:
        self.calls.write_text("")
        VirtualEnvironment(self.path).install(name)
        return [line.split("/")[-1].split(" ")[0] for line in self.calls.read_text().splitlines()]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_install_once(checkout: Checkout) -> None:
    """Packages are installed with hashes, through uv, and only when the lock has changed."""
    checkout.install("embedded")
    assert checkout.calls.read_text().count("--require-hashes") == 2
    assert "/uv pip install --compile-bytecode" in checkout.calls.read_text()
    assert checkout.install("embedded") == []
    (checkout.path / "requirements" / "embedded.lock").write_text("changed")
    assert checkout.install("embedded") != []


def test_developers_have_all(checkout: Checkout) -> None:
    """What `make test` installs serves `make run` too; the other way round it does not."""
    checkout.install("embedded")
    assert checkout.install("dev") != []
    assert checkout.install("embedded") == []


def test_pip_steps_in(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    """Where uv does not get through, pip does the same."""
    checkout.fake("uv", then="echo Resolved 3 packages; exit 1")
    assert checkout.install("embedded") == ["uv.lock", "embedded.lock", "embedded.lock"]
    assert "uv did not get through; trying pip" in capsys.readouterr().out


def test_install_fails(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    """A package that cannot be built is one sentence, and nothing counts as installed."""
    checkout.fake("python", then="echo \"error: command 'gcc' failed\"; exit 1")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout.path)
        assert install.main(["embedded"]) == 1
    said = capsys.readouterr().out
    assert "install a C compiler" in said
    assert str(checkout.path / ".cache" / "install.log") in said
    checkout.fake("python")
    assert checkout.install("embedded") != []


def test_no_room(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that cannot be written to is one sentence."""
    (checkout.path / ".cache").write_text("in the way")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout.path)
        assert install.main(["embedded"]) == 1
    assert "The Python packages cannot be installed: " in capsys.readouterr().out


def test_moved_checkout(checkout: Checkout) -> None:
    """An environment that was moved here is made again: it knows itself by its old path."""
    stamp = checkout.path / ".venv" / ".installed-from"
    stamp.write_text("/elsewhere/.venv\n")
    (checkout.path / ".venv" / "old").touch()
    made = VirtualEnvironment(checkout.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "_base_executable", "/bin/true", raising=False)
        with pytest.raises((CannotStart, OSError)):
            made.install("embedded")
    assert not (checkout.path / ".venv" / "old").exists()


def test_stamp(tmp_path: Path) -> None:
    """Something is made again when a source changes, and when making it failed."""
    source, made = tmp_path / "source", []
    source.write_text("1")

    def stamp() -> Stamp:
        return Stamp(tmp_path / "stamp", [source])

    stamp().keep(lambda: made.append(1))
    stamp().keep(lambda: made.append(2))
    assert (made, stamp().is_current()) == ([1], True)
    source.write_text("2")
    with pytest.raises(ZeroDivisionError):
        stamp().keep(lambda: made.append(1 // 0))
    stamp().keep(lambda: made.append(3))
    assert made == [1, 3]


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.ts").write_text("1")
    (tmp_path / "package-lock.json").write_text("{}")
    return tmp_path


def test_dashboard_is_built_once(frontend: Path) -> None:
    """The dashboard is installed and built when its sources changed, and only then."""
    ran = []

    def run(program: Program, what: str) -> None:
        ran.append(what)
        assert Path(program.command[0]).is_file()
        assert Path(program.command[1]).is_file()
        made = frontend / ("node_modules" if what == "npm ci" else "dist/browser")
        made.mkdir(parents=True, exist_ok=True)
        (made / "index.html").touch()

    def build() -> list[str]:
        ran.clear()
        Dashboard(frontend).build(run)
        return ran

    assert not Dashboard(frontend).is_current()
    assert build() == ["npm ci", "Building the dashboard"]
    assert Dashboard(frontend).is_current()
    assert build() == []
    (frontend / "src" / "main.ts").write_text("2")
    assert not Dashboard(frontend).is_current()
    assert build() == ["Building the dashboard"]
    (frontend / "dist" / "browser" / "index.html").unlink()
    assert build() == ["Building the dashboard"]


def test_in_the_open(frontend: Path) -> None:
    """For `make test` the build's own output is shown, and its failure is ours."""
    good = Program("x", [sys.executable, "-c", "pass"], folder=frontend)
    dashboard._in_the_open(good, "It")  # noqa: SLF001 - what the module does when run
    bad = Program("x", [sys.executable, "-c", "raise SystemExit(3)"], folder=frontend)
    with pytest.raises(SystemExit, match=r"^It failed with 3\.$"):
        dashboard._in_the_open(bad, "It")  # noqa: SLF001


def test_find_python(tmp_path: Path) -> None:
    """The first Python that is new enough is taken; without one, one sentence says so."""
    script = Path(__file__).parents[3] / "ops" / "find-python"
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\ncase $2 in *exit*) exit 1;; *) echo 3.9;; esac\n")
    old.chmod(0o755)

    def find(*candidates: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(script), *candidates],
            cwd=tmp_path,
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )

    found = find("no-such-python", str(old), sys.executable)
    assert (found.returncode, found.stdout.strip()) == (0, sys.executable)
    missing = find(str(old))
    assert missing.returncode == 1
    assert missing.stderr.strip() == (
        f"Python 3.11 or newer is needed; {old} is 3.9. PYTHON= names another."
    )
