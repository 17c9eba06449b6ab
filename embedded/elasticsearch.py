"""A real Elasticsearch: the one that is named, one in a container, or one that Maven fetches."""

import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.access import give, open_the_way, writable_to_all
from embedded.elasticsearch_home import VERSION, fetch_home
from embedded.errors import CannotStart
from embedded.java import OLDEST, find_java
from embedded.programs import HOST, free_port
from embedded.supervisor import Program, Supervisor

NAME = "elasticsearch"
IMAGE = f"elasticsearch:{VERSION}"
CACHE = Path(__file__).parent.parent / ".cache" / "elasticsearch"
HEAP = "512m"
ACCOUNT = "nobody"
STARTS_WITHIN_S = 180.0
ENGINE_ANSWERS_WITHIN_S = 10.0
PULLED_WITHIN_S = 900.0
# One node that answers this machine alone. A nearly full disk is said by the system, not guessed.
SETTINGS: dict[str, str | int | bool] = {
    "cluster.name": "vehicle-tracker",
    "discovery.type": "single-node",
    "xpack.security.enabled": False,
    "cluster.routing.allocation.disk.threshold_enabled": False,
}


@dataclass(frozen=True)
class Elasticsearch:
    """Where a server is, and the program it is if it is ours to run."""

    url: str
    program: Program | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Run it if it is ours, and return when it answers."""
        if self.program is None:
            return
        supervisor.start(self.program)

        def answers() -> bool:
            supervisor.check(NAME)
            return self.answers()

        if not supervisor.wait_until(answers, STARTS_WITHIN_S):
            raise CannotStart(f"Elasticsearch does not answer after {STARTS_WITHIN_S:g} s.")

    def answers(self) -> bool:
        """Answer whether our server takes requests."""
        address = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=2s")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def find_or_provision(
    folder: Path,
    report: Callable[[str], None],
    *,
    environment: Mapping[str, str] = os.environ,
    cache: Path = CACHE,
    heap: str = HEAP,
) -> Elasticsearch:
    """Answer the first there is: ELASTICSEARCH_URL, a Docker engine, the one that Maven fetches.

    One that we run keeps its files in `folder`, and takes ES_JAVA_OPTS as Elastic's own does.
    `report` hears what takes long.
    """
    if url := environment.get("ELASTICSEARCH_URL", "").strip():
        return Elasticsearch(url)
    port = free_port()
    url = f"http://{HOST}:{port}"
    options = f"-Xms{heap} -Xmx{heap} {environment.get('ES_JAVA_OPTS', '')}".rstrip()
    if _docker_has_it(report):
        return Elasticsearch(url, _container(port, options))
    try:
        java = find_java(environment)
        home = fetch_home(cache, report)
    except CannotStart as error:
        raise CannotStart(
            "There is no Elasticsearch: set ELASTICSEARCH_URL to one, start a Docker engine, or"
            f" have Maven and a JDK {OLDEST} or later (ES_JAVA_HOME) with which it is fetched:"
            f" {error}"
        ) from error
    return Elasticsearch(url, _process(home, folder, java, port, options))


def _docker_has_it(report: Callable[[str], None]) -> bool:
    """Answer whether there is an engine that has the image, or can get it."""
    if not _docker("version", "--format", "{{.Server.Version}}", within_s=ENGINE_ANSWERS_WITHIN_S):
        return False
    if _docker("image", "inspect", IMAGE, within_s=ENGINE_ANSWERS_WITHIN_S):
        return True
    report(f"Elasticsearch: Docker pulls {IMAGE}")
    return _docker("pull", "--quiet", IMAGE, within_s=PULLED_WITHIN_S)


def _docker(*arguments: str, within_s: float) -> bool:
    """Answer whether Docker could do it."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            [docker, *arguments], capture_output=True, check=False, timeout=within_s
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _container(port: int, options: str) -> Program:
    """A container that is gone when it stops: what it knew is folded out of the log again."""
    settings = {**SETTINGS, "ES_JAVA_OPTS": options}
    command = ["docker", "run", "--rm", "--publish", f"{HOST}:{port}:9200"]
    for name, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(value)
        command += ["--env", f"{name}={text}"]
    return Program(NAME, [*command, IMAGE])


def _process(home: Path, folder: Path, java: Path, port: int, options: str) -> Program:
    """A process of ours. It refuses root, so root runs it as somebody else."""
    config, temporary = folder / "config", folder / "tmp"
    for part in (config, folder / "data", folder / "logs", temporary):
        part.mkdir(parents=True, exist_ok=True)
    for name in ("jvm.options", "log4j2.properties"):
        shutil.copyfile(home / "config" / name, config / name)
    settings = {
        **SETTINGS,
        "network.host": HOST,
        "http.port": port,
        "transport.port": free_port(),
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
    }
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings.items()]
    (config / "elasticsearch.yml").write_text("".join(lines), encoding="utf-8")
    command = [str(java / "bin" / "java"), "-Xms4m", "-Xmx64m", "-XX:+UseSerialGC"]
    command += ["-cp", f"{home}/lib/tools/server-launcher/*"]
    command += ["org.elasticsearch.server.launcher.ServerLauncher"]
    environment = {
        "ES_HOME": str(home),
        "ES_PATH_CONF": str(config),
        "ES_TMPDIR": str(temporary),
        "ES_JAVA_HOME": str(java),
        "JAVA": str(java / "bin" / "java"),
        "JAVA_TYPE": "ES_JAVA_HOME",
        "ES_DISTRIBUTION_TYPE": "zip",
        "HOME": str(folder),
        "HOSTNAME": "localhost",
        "ES_JAVA_OPTS": options,
        # For the launcher's own children too: not everywhere may everybody write to /tmp.
        "JDK_JAVA_OPTIONS": f'"-Djava.io.tmpdir={temporary}"',
    }
    if os.geteuid() != 0:
        return Program(NAME, command, environment, folder=home)
    # Java talks to itself through a socket in /tmp, wherever its own temporary folder is. Where
    # only root may write to /tmp it stays root to the files and is nobody to itself.
    if not writable_to_all(Path("/tmp")):  # noqa: S108 - Java's choice
        give(folder, "root")
        alias = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
        return Program(NAME, [*alias, *command], environment, folder=home)
    give(folder, ACCOUNT)
    open_the_way(home)
    return Program(NAME, command, environment, account=ACCOUNT, folder=home)


if __name__ == "__main__":  # fetches it, so that tests need not wait for that
    try:
        find_or_provision(CACHE / "fetched", lambda line: print(f"  {line}", flush=True))  # noqa: T201
    except CannotStart as error:
        sys.exit(str(error))
