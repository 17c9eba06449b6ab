"""A process that lacks what it needs says so in one line, and ends."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vehicle_tracker.refusal import CANNOT_START, refuse_taken_port
from vehicle_tracker.settings import Settings
from vehicle_tracker.starting import once_it_answers, open_log

if TYPE_CHECKING:
    from collections.abc import Callable

# Nobody listens on the first port of all.
NOBODY = "postgresql://user:secret@127.0.0.1:1/database"


def refusal(act: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that is said when it cannot start."""
    with pytest.raises(SystemExit) as caught:
        act()
    assert caught.value.code == CANNOT_START
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cannot")]
    assert len(said) == 1
    return said[0]


def test_a_log_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After the time it is given it says where it looked and why; nobody logs the password."""
    monkeypatch.setenv("EVENT_LOG_URL", NOBODY)
    settings = replace(Settings.from_environment(read_models=False), wait_for_stores_s=0.2)
    said = refusal(lambda: open_log(settings), capsys)
    assert "port 1" in said
    assert "refused" in said
    assert "secret" not in said + caplog.text


def test_it_waits_for_what_comes_later() -> None:
    """What answers at the third time has not been asked in vain."""
    answers = iter([ConnectionError(), ConnectionError(), "here"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert once_it_answers(ask, (ConnectionError,), within_s=30) == "here"


def test_a_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    """The port is named; a free one is taken without a word."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in refusal(lambda: refuse_taken_port(port), capsys)
    refuse_taken_port(port)
