"""An Elasticsearch is found or fetched; if none can be had, one sentence names the three ways."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from embedded import elasticsearch_home, java
from embedded.elasticsearch import find_or_provision
from embedded.errors import CannotStart
from embedded.java import find_java

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which only this test's own programs are."""
    folder = tmp_path / "bin with space"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    hidden = {"docker", "mvn"}
    which = elasticsearch_home.shutil.which

    def only_ours(name: str, **options: str | None) -> str | None:
        return which(name, path=str(folder)) if name in hidden else which(name, **options)

    monkeypatch.setattr(elasticsearch_home.shutil, "which", only_ours)
    return folder


@pytest.fixture
def jdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with three Javas: an old JDK, a new JRE, and one that will do."""
    for name, version, has_compiler in (("a", 17, True), ("b", 30, False), ("c", 25, True)):
        home = tmp_path / "jvm" / name
        (home / "bin").mkdir(parents=True)
        (home / "release").write_text(f'JAVA_VERSION="{version}.0.1"\n')
        if has_compiler:
            _program(home / "bin" / "javac", "")
    monkeypatch.setattr(java, "USUAL_PLACES", (str(tmp_path / "jvm"),))
    return tmp_path / "jvm" / "c"


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _silent(_: str) -> None: ...


def test_the_one_that_is_named_is_taken(tmp_path: Path) -> None:
    """`ELASTICSEARCH_URL` comes first, and nothing of ours is run then."""
    found = find_or_provision(tmp_path, _silent, environment={"ELASTICSEARCH_URL": " http://e:1 "})
    assert (found.url, found.program) == ("http://e:1", None)


def test_a_docker_engine_that_answers_is_used(tmp_path: Path, programs: Path) -> None:
    """The official image, on this machine's own address; heap and options as asked for."""
    _program(programs / "docker", "echo 29.0")
    asked = {"ES_JAVA_OPTS": "-XX:TieredStopAtLevel=1"}
    found = find_or_provision(tmp_path, _silent, environment=asked, heap="300m")
    assert found.program is not None
    command = list(found.program.command)
    assert command[:3] == ["docker", "run", "--rm"]
    assert command[-1].startswith("elasticsearch:9.4.")
    assert found.url.removeprefix("http://") + ":9200" in command
    assert "ES_JAVA_OPTS=-Xms300m -Xmx300m -XX:TieredStopAtLevel=1" in command
    assert "xpack.security.enabled=false" in command


NO_ENGINE = "exit 1"
NO_REGISTRY = 'test "$1" = version'


@pytest.mark.parametrize("docker", ["", NO_ENGINE, NO_REGISTRY])
def test_if_none_can_be_had_the_three_ways_are_named(
    tmp_path: Path, programs: Path, jdk: Path, docker: str
) -> None:
    """No engine, or one that cannot get the image, and no Maven: one sentence."""
    if docker:
        _program(programs / "docker", docker)
    with pytest.raises(CannotStart) as refusal:
        find_or_provision(tmp_path, _silent, environment={}, cache=tmp_path / "cache")
    said = str(refusal.value)
    assert all(way in said for way in ("ELASTICSEARCH_URL", "Docker", "Maven", "JDK 21"))
    assert (said.count("\n"), said.count(". "), said[-1]) == (0, 0, ".")


def test_what_maven_says_is_passed_on(tmp_path: Path, programs: Path, jdk: Path) -> None:
    """A fetch that fails names its reason, and leaves nothing that looks whole."""
    _program(programs / "mvn", "echo '[ERROR] Could not transfer artifact: Unknown host'; exit 1")
    with pytest.raises(CannotStart, match="Could not transfer artifact: Unknown host"):
        find_or_provision(tmp_path, _silent, environment={}, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def _archive(path: Path) -> str:
    """An artifact as Maven would fetch it; its digest."""
    with zipfile.ZipFile(path, "w") as packed:
        for inside in ("config/jvm.options", "config/log4j2.properties", "lib/a.jar"):
            packed.writestr(f"{elasticsearch_home.INSIDE}{inside}", "x")
        packed.writestr(f"{elasticsearch_home.INSIDE}modules/x-pack-inference/a.jar", "x")
        packed.writestr("sonarqube/other.jar", "x")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_is_fetched_once(
    tmp_path: Path, programs: Path, jdk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpacked into the cache, checked, told of; the next time it is there."""
    digest = _archive(tmp_path / "a.zip")
    monkeypatch.setattr(elasticsearch_home, "SHA256", digest)
    copy = f"""
for part in "$@"; do case "$part" in -DoutputDirectory=*) to="${{part#*=}}";; esac; done
echo 'Progress (1): 12/947 MB'; cp '{tmp_path}/a.zip' "$to/"; echo x >> '{tmp_path}/calls'"""
    _program(programs / "mvn", copy)
    said: list[str] = []
    for number in range(2):
        found = find_or_provision(
            tmp_path / f"run {number}", said.append, environment={}, cache=tmp_path / "the cache"
        )
    assert (tmp_path / "calls").read_text() == "x\n"
    assert said[0] == "Elasticsearch: fetched 12 of 947 MB"
    (home,) = (tmp_path / "the cache").iterdir()
    assert {str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()} == {
        "config/jvm.options",
        "config/log4j2.properties",
        "lib/a.jar",
    }
    assert found.program is not None
    assert str(jdk / "bin" / "java") in found.program.command
    settings = dict(
        line.split(": ", 1)
        for line in (tmp_path / "run 1/config/elasticsearch.yml").read_text().splitlines()
    )
    assert json.loads(settings["path.data"]) == str(tmp_path / "run 1" / "data")
    assert found.program.environment["ES_JAVA_OPTS"] == "-Xms512m -Xmx512m"
    if os.geteuid() == 0:
        assert found.program.account == "nobody" or "unshare" in found.program.command


def test_another_archive_than_the_pinned_one_is_refused(
    tmp_path: Path, programs: Path, jdk: Path
) -> None:
    """Its digest is not the one that is written down here, so nothing of it is kept."""
    _archive(tmp_path / "a.zip")
    copy = 'for p in "$@"; do case "$p" in -DoutputDirectory=*) to="${p#*=}";; esac; done'
    _program(programs / "mvn", f"{copy}\ncp '{tmp_path}/a.zip' \"$to/\"")
    with pytest.raises(CannotStart, match="not the Elasticsearch that is pinned"):
        find_or_provision(tmp_path, _silent, environment={}, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_java_is_looked_for(jdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest JDK from 21 on, or the one that is named; a JRE will not do."""
    assert find_java({"PATH": ""}) == jdk
    assert str(find_java({"ES_JAVA_HOME": "/some/jdk"})) == "/some/jdk"
    (jdk / "bin" / "javac").unlink()
    with pytest.raises(CannotStart, match="JDK 21"):
        find_java({"PATH": ""})
