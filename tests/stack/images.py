"""Our own images, built from the Dockerfile, and single containers of them."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.stack.bases import BASES, CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.engine import Engine

TAG = "stack-test"
BASE_OF = {
    "write": BASES["python"],
    "read": BASES["python"],
    "projections": BASES["python"],
    "simulator": BASES["python"],
    "frontend": BASES["nginx"],
}
AS_IN_THE_STACK = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
)


def name_of(target: str, tag: str = TAG) -> str:
    """What an image of ours is called."""
    return f"vehicle-tracker/{target}:{tag}"


def build(engine: Engine, tag: str = TAG) -> None:
    """Build every target, labelled with the tag and with the commit that is checked out."""
    commit = ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"]
    revision = subprocess.run(commit, check=True, capture_output=True, text=True).stdout.strip()
    told = {"version": tag, "revision": revision}
    labels = [f"--label=org.opencontainers.image.{name}={text}" for name, text in told.items()]
    for target in BASE_OF:
        named = f"--target={target}", f"--tag={name_of(target, tag)}"
        engine("build", "--quiet", *named, *labels, str(CHECKOUT), within_s=900)


def build_broken(engine: Engine, tag: str, good: str) -> None:
    """A release like another, but that its write service ends as soon as it is started."""
    for target in BASE_OF:
        engine("tag", name_of(target, good), name_of(target, tag))
    with tempfile.TemporaryDirectory(prefix="broken-") as folder:
        broken = f'FROM {name_of("write", good)}\nCMD ["python", "-c", "raise SystemExit(1)"]\n'
        Path(folder, "Dockerfile").write_text(broken)
        engine("build", "--quiet", "--tag", name_of("write", tag), folder)


def size_mb(engine: Engine, image: str) -> float:
    """The size of an image on disk, in units of a million bytes."""
    return int(engine("image", "inspect", "--format", "{{.Size}}", image)) / 1e6


class Container:
    """A running container, by its id."""

    def __init__(self, engine: Engine, identity: str) -> None:
        self._engine = engine
        self.identity = identity

    def state(self) -> Any:
        """What the engine knows of it."""
        return json.loads(self._engine("inspect", self.identity))[0]

    def said(self) -> str:
        """All that it has logged."""
        done = self._engine.run("logs", self.identity)
        return done.stdout + done.stderr

    def run(self, *command: str) -> str:
        """What a command within it prints."""
        return self._engine("exec", self.identity, *command)

    def address(self, port: int) -> str:
        """Where it is on the engine's own network."""
        networks = self.state()["NetworkSettings"]["Networks"]
        return f"http://{next(iter(networks.values()))['IPAddress']}:{port}"

    def await_status(self, url: str, status: int = 200, within_s: float = 60.0) -> float:
        """Answer how many seconds it took until the address answered so."""
        began = time.monotonic()
        while status_of(url) != status:
            state = self.state()["State"]
            assert state["Running"], self.said()[-2000:]
            assert time.monotonic() < began + within_s, self.said()[-2000:]
            time.sleep(0.02)
        return time.monotonic() - began

    def await_end(self, within_s: float = 60.0) -> int:
        """Answer its exit code."""
        return int(self._engine("wait", self.identity, within_s=within_s))


@contextmanager
def container(engine: Engine, *arguments: str) -> Iterator[Container]:
    """A container that is gone in the end."""
    one = Container(engine, engine("run", "--detach", *arguments))
    try:
        yield one
    finally:
        engine("rm", "--force", "--volumes", one.identity)


def status_of(url: str) -> int:
    """The status of an answer; 0 for none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
