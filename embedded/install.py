"""Makes `.venv` what a lock file says; the only part that runs before anything is installed.

`python3 -m embedded.install embedded|dev`. It works with the standard library alone, downloads with
uv (a sixth of pip's time; itself locked) and falls back to pip where uv does not get through.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from embedded.errors import CannotStart, failed, reason

# What satisfies what: whoever has the tools of a developer has all that runs.
CONTAINED = {"embedded": ("embedded", "dev"), "dev": ("dev",)}
# uv does not read pip's settings; a mirror that is named for pip is meant for it too.
AS_UV_CALLS_IT = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}
SHOWN = ("Resolved", "Downloading", "Downloaded", "Prepared", "Installed", "Collecting", "Building")


class VirtualEnvironment:
    """The folder `.venv` of a checkout, and what was last installed into it."""

    def __init__(self, checkout: Path) -> None:
        self._folder = checkout / ".venv"
        self._python = self._folder / "bin" / "python"
        self._locks = checkout / "requirements"
        self._stamp = self._folder / ".installed-from"
        self._log = checkout / ".cache" / "install.log"

    def install(self, name: str) -> None:
        """Install a lock file unless it, or one that contains it, is installed as it is now."""
        if any(self._has(lock) for lock in CONTAINED[name]):
            return
        began = time.monotonic()
        self._log.parent.mkdir(exist_ok=True)
        self._log.unlink(missing_ok=True)
        self._make()
        lock = ("--require-hashes", "-r", str(self._locks / f"{name}.lock"))
        pip = (str(self._python), "-m", "pip", "install", "--disable-pip-version-check")
        if not (
            self._run(*pip, "-q", "--require-hashes", "-r", str(self._locks / "uv.lock"))
            and self._run(
                str(self._folder / "bin" / "uv"),
                "pip",
                "install",
                "--compile-bytecode",  # pip does; every start is seconds faster
                "--python",
                str(self._python),
                *lock,
            )
        ):
            _say("  uv did not get through; trying pip")
            self._log.unlink()
            if not self._run(*pip, "--progress-bar", "off", *lock):
                raise failed("Installing the Python packages", self._log)
        self._stamp.write_text(self._mark(name))
        _say(f"✓ Python packages  {time.monotonic() - began:.1f} s")

    def _make(self) -> None:
        """Make the environment if there is none, or one that was moved here from elsewhere."""
        stamp = self._stamp.read_text() if self._stamp.is_file() else ""
        if stamp and not stamp.startswith(f"{self._folder}\n"):
            shutil.rmtree(self._folder)
        if not self._stamp.is_file() or not self._python.exists():
            _say(f"  Making .venv with Python {sys.version.split()[0]}")
            # The interpreter that runs this may be the one inside the folder.
            base = getattr(sys, "_base_executable", sys.executable)
            if not self._run(base, "-m", "venv", str(self._folder)):
                raise failed("Making the virtual environment", self._log)

    def _has(self, name: str) -> bool:
        try:
            return self._python.exists() and self._stamp.read_text() == self._mark(name)
        except FileNotFoundError:
            return False

    def _mark(self, name: str) -> str:
        """Say what is installed where: scripts inside hold absolute paths, so it cannot move."""
        digest = hashlib.sha256((self._locks / f"{name}.lock").read_bytes()).hexdigest()
        return f"{self._folder}\n{name} {digest}\n"

    def _run(self, *command: str) -> bool:
        """Run a command, its output in the log and its milestones on the terminal."""
        settings = {"UV_SYSTEM_CERTS": "1", "UV_NO_CONFIG": "1"}
        settings |= {
            uv: os.environ[pip] for pip, uv in AS_UV_CALLS_IT.items() if os.environ.get(pip)
        }
        with (
            self._log.open("a", encoding="utf-8") as log,
            subprocess.Popen(  # noqa: S603 - the commands are ours
                command,
                env={**settings, **os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            for line in process.stdout or ():
                log.write(line)
                if line.lstrip().startswith(SHOWN):
                    _say(f"  {line.strip()}")
        return process.returncode == 0


def main(arguments: list[str]) -> int:
    """Install what is asked for; a failure is one sentence."""
    try:
        VirtualEnvironment(Path.cwd()).install(arguments[0])
    except CannotStart as error:
        _say(str(error))
    except OSError as error:
        why = reason(str(error)) or error.strerror
        _say(f"The Python packages cannot be installed: {why} ({error.filename}).")
    except KeyboardInterrupt:
        _say("Stopped.")
    else:
        return 0
    return 1


def _say(line: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    print(line.encode(encoding, "replace").decode(encoding), flush=True)  # noqa: T201 - no rich yet


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
