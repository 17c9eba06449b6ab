"""Finds a Java that is new enough; none is assumed."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from embedded.errors import CannotStart

OLDEST = 21
USUAL_PLACES = ("/usr/lib/jvm", "/usr/java", "/opt", "/Library/Java/JavaVirtualMachines")
_VERSION = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)


def find_java(environment: Mapping[str, str]) -> Path:
    """Answer the home of a JDK 21 or later: the one that is named, else the newest there is."""
    if named := environment.get("ES_JAVA_HOME"):
        return Path(named)
    homes = {home.resolve() for home in _candidates(environment)}
    newest = max(((_version(home), str(home)) for home in homes), default=(0, ""))
    if newest[0] < OLDEST:
        raise CannotStart(f"no JDK {OLDEST} or later is installed.")
    return Path(newest[1])


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    if named := environment.get("JAVA_HOME"):
        yield Path(named)
    if on_path := shutil.which("java", path=environment.get("PATH")):
        yield Path(on_path).resolve().parent.parent
    for place in USUAL_PLACES:
        for release in Path(place).glob("*/release"):
            yield release.parent
        for release in Path(place).glob("*/Contents/Home/release"):
            yield release.parent


def _version(home: Path) -> int:
    """Answer the major version of a JDK; 0 for what is none (a JRE has no compiler)."""
    try:
        found = _VERSION.search((home / "release").read_text(encoding="utf-8"))
    except OSError:
        return 0
    is_jdk = os.access(home / "bin" / "javac", os.X_OK)
    return int(found[1]) if found and is_jdk else 0
