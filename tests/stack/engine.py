"""A Docker engine: the one that answers, else one of our own in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

FOLDER = Path(os.environ.get("STACK_ENGINE", Path(__file__).parents[2] / ".cache" / "stack-engine"))
"""Where our own engine keeps its images, so that the second run is a quick one."""

STARTS_WITHIN_S = 60.0
STOPS_WITHIN_S = 60.0


class DockerError(Exception):
    """What the client said when it could not do what it was asked to."""


class Engine:
    """An engine, through its command line client."""

    def __init__(self) -> None:
        self._client = shutil.which("docker") or "docker"
        self._builder = self._client
        self._environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        self._daemon: subprocess.Popen[bytes] | None = None

    def find_or_start(self) -> str:
        """Have an engine; what it is, in words."""
        self._builder = self._find_builder()
        if self._answers():
            return f"the engine that answers here, {self._version()}"
        FOLDER.mkdir(parents=True, exist_ok=True)
        socket = f"unix://{FOLDER / 'docker.sock'}"
        self._environment["DOCKER_HOST"] = socket
        command = ["dockerd", "--host", socket, "--pidfile", str(FOLDER / "docker.pid")]
        command += ["--data-root", str(FOLDER / "data"), "--exec-root", str(FOLDER / "exec")]
        with (FOLDER / "dockerd.log").open("wb") as log:
            self._daemon = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + STARTS_WITHIN_S
        while not self._answers():
            if self._daemon.poll() is not None or time.monotonic() > until:
                raise DockerError(f"dockerd does not start, see {FOLDER / 'dockerd.log'}")
            time.sleep(0.2)
        return f"an engine of our own, {self._version()}"

    def stop(self) -> None:
        """End the engine, if it is ours."""
        if self._daemon:
            self._daemon.terminate()
            self._daemon.wait(STOPS_WITHIN_S)

    def __call__(self, *arguments: str, within_s: float = 600.0, **environment: str) -> str:
        """Answer what the client printed. Errors: `DockerError`, with what it said."""
        done = self.run(*arguments, within_s=within_s, **environment)
        if done.returncode:
            raise DockerError(f"docker {' '.join(arguments)}: {done.stderr.strip()[-3000:]}")
        return done.stdout.strip()

    def run(
        self, *arguments: str, within_s: float = 600.0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """What came of it, whatever that was."""
        client = self._builder if arguments[0] == "build" else self._client
        return subprocess.run(
            [client, *arguments],
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What another program needs to reach the same engine."""
        return self._environment

    @property
    def socket(self) -> str:
        """The path of its socket, for whoever asks it from within a container."""
        host = self("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
        return self._environment.get("DOCKER_HOST", host).removeprefix("unix://")

    def _find_builder(self) -> str:
        """A newer client leaves building to a plugin that may be missing; Debian's can itself."""
        if self.run("buildx", "version").returncode == 0:
            return self._client
        return next(filter(None, (shutil.which("docker", path="/usr/bin"), self._client)))

    def _answers(self) -> bool:
        return self.run("info", within_s=20).returncode == 0

    def _version(self) -> str:
        return self("version", "--format", "{{.Server.Version}}")
