"""The very docker-stack.yml on a swarm of one node, and what an operator does with it."""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.stack.bases import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.engine import Engine

NAME = "tracker-test"
DOMAIN = "localhost"
FILE = CHECKOUT / "docker-stack.yml"
NODE_LABELS = ("services", "edge", "postgresql", "elasticsearch")
FIRST_START_S = 240
GONE_WITHIN_S = 90.0
BACK_WITHIN_S = 60.0
LOOKS_EVERY_S = 0.5
MOVING = {"updating", "rollback_started"}


class Stack:
    """One deployment, from `docker swarm init` until nothing of it is left."""

    def __init__(self, engine: Engine) -> None:
        self._docker = engine
        self._own_swarm = False

    def prepare(self) -> None:
        """What docs/operations.md asks of an operator: a swarm, node labels, secrets."""
        if self._docker("info", "--format", "{{.Swarm.LocalNodeState}}") != "active":
            self._docker("swarm", "init", "--advertise-addr", "127.0.0.1")
            self._own_swarm = True
        self._clear()
        node = self._docker("info", "--format", "{{.Swarm.NodeID}}")
        labels = [f"--label-add=tracker.{label}=true" for label in NODE_LABELS]
        self._docker("node", "update", *labels, node)
        for name, content in _secrets().items():
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(content)
                file.flush()
                self._docker("secret", "create", f"{NAME}_{name}", file.name)

    def deploy(self, tag: str) -> tuple[int, str]:
        """`ops/deploy TAG`, which ends when the release runs or has gone back: exit code, words."""
        given = {
            "STACK": NAME,
            "DOMAIN": DOMAIN,
            "ELASTICSEARCH_HEAP": "512m",
            "DOCKER_SOCKET": self._docker.socket,
            "WITHIN_S": str(FIRST_START_S),
        }
        done = subprocess.run(
            [str(CHECKOUT / "ops" / "deploy"), tag],
            env={**self._docker.environment, **given},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def scale(self, **replicas: int) -> None:
        """`docker service scale`, without waiting."""
        wanted = [f"{NAME}_{name}={count}" for name, count in replicas.items()]
        self._docker("service", "scale", "--detach", *wanted)

    def await_settled(self, within_s: float = FIRST_START_S) -> float:
        """Answer how long it took until all tasks ran, healthy, and no update was under way."""
        return wait_until(self._is_settled, within_s, lambda: "\n".join(self.tasks()))

    def tasks(self) -> list[str]:
        """A line for each task, the past ones too."""
        asked = "{{.Name}} {{.Image}} {{.DesiredState}} {{.CurrentState}} {{.Error}}"
        return self._docker("stack", "ps", "--no-trunc", "--format", asked, NAME).splitlines()

    def tags(self) -> set[str]:
        """Those of our images that run now."""
        mine = f"--filter=label=com.docker.stack.namespace={NAME}"
        images = self._docker("ps", "--format", "{{.Image}}", mine).split()
        return {image.rpartition(":")[2] for image in images if "vehicle-tracker/" in image}

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers."""
        label = f"label=com.docker.swarm.service.name={NAME}_{service}"
        return self._docker("ps", "--quiet", "--no-trunc", "--filter", label).split()

    def kill(self, service: str, dice: random.Random) -> float:
        """End one container without a word; how many seconds later another was healthy."""
        running = self.containers(service)
        killed = dice.choice(running)
        self._docker("kill", killed)
        began = time.monotonic()

        def is_replaced() -> bool:
            now = self.containers(service)
            return killed not in now and len(now) == len(running)

        wait_until(is_replaced, BACK_WITHIN_S)
        self.await_settled()
        return time.monotonic() - began

    def run_in(self, service: str, *command: str) -> str:
        """`docker exec` in one container of a service; what it printed."""
        return self._docker("exec", self.containers(service)[0], *command)

    def logs(self, service: str) -> str:
        """What all tasks of a service have said."""
        done = self._docker.run("service", "logs", "--raw", f"{NAME}_{service}")
        return (done.stdout + done.stderr)[-4000:]

    def published(self) -> dict[str, list[int]]:
        """The ports of this machine at which services can be reached."""
        ports = {}
        for service in self._docker("stack", "services", "--format", "{{.Name}}", NAME).split():
            told: dict[str, Any] = json.loads(self._docker("service", "inspect", service))[0]
            published = told["Spec"].get("EndpointSpec", {}).get("Ports", [])
            if published:
                ports[service.removeprefix(f"{NAME}_")] = [
                    one["PublishedPort"] for one in published
                ]
        return ports

    def environment(self) -> str:
        """All variables that the engine would show of any service."""
        services = self._docker("stack", "services", "--format", "{{.Name}}", NAME).split()
        asked = "{{json .Spec.TaskTemplate.ContainerSpec.Env}}"
        return self._docker("service", "inspect", "--format", asked, *services)

    def remove(self) -> None:
        """Remove everything that was made, the swarm too if it is ours; again does nothing."""
        if self._docker("info", "--format", "{{.Swarm.LocalNodeState}}") != "active":
            return
        self._clear()
        if self._own_swarm:
            self._docker("swarm", "leave", "--force")

    def _clear(self) -> None:
        """Remove what is of this name, whoever left it."""
        self._docker.run("stack", "rm", NAME)
        mine = f"--filter=label=com.docker.stack.namespace={NAME}"
        wait_until(lambda: not self._docker("ps", "--quiet", mine), GONE_WITHIN_S)
        # What a job has left goes with the swarm's housekeeping, later.
        if ended := self._docker("ps", "--all", "--quiet", mine).split():
            self._docker.run("rm", "--force", *ended)
        for kind in ("secret", "config", "network", "volume"):
            listed = self._docker(kind, "ls", "--format", "{{.Name}}").split()
            if ours := [name for name in listed if name.startswith(f"{NAME}_")]:
                self._docker.run(kind, "rm", *ours)

    def _is_settled(self) -> bool:
        asked = "{{.Name}} {{.Replicas}}"
        services = self._docker("stack", "services", "--format", asked, NAME).splitlines()
        for line in services:
            name, _, replicas = line.removeprefix(f"{NAME}_").partition(" ")
            running, _, wanted = replicas.split(" ")[0].partition("/")
            done = "(1/1 completed)" in replicas if name == "migrate" else running == wanted != "0"
            if not done:
                return False
        asked = "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}"
        names = [line.split()[0] for line in services]
        return not MOVING & set(
            self._docker("service", "inspect", "--format", asked, *names).split()
        )


def wait_until(
    condition: Callable[[], bool], within_s: float, why: Callable[[], str] = lambda: ""
) -> float:
    """Answer how many seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + within_s, f"not within {within_s:g} s:\n{why()}"
        time.sleep(LOOKS_EVERY_S)
    return time.monotonic() - began


def _secrets() -> dict[str, str]:
    log, models = secrets.token_hex(16), secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key"), Path(folder, "certificate")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", f"/CN={DOMAIN}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        return {
            "postgres_password": secrets.token_hex(16),
            "event_log_url": f"postgresql://event_log:{log}@postgresql/event_log",
            "database_url": f"postgresql://read_models:{models}@postgresql/read_models",
            "tls_key": key.read_text(),
            "tls_certificate": certificate.read_text(),
        }
