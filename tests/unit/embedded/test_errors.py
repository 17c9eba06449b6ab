"""The one sentence each failure gets."""

from pathlib import Path

import pytest

from embedded.errors import CannotStart, failed, last_lines, reason
from embedded.options import Options


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("initdb: could not write: No space left on device", "disk is full"),
        ("npm error code ENOSPC", "disk is full"),
        ("error: command 'gcc' failed: No such file or directory", "C compiler"),
        ("fatal error: Python.h: No such file or directory", "C compiler"),
        (
            "postgres: error while loading shared libraries: libicu.so.7: no",
            "C library libicu.so.7",
        ),
        ("npm error code ENOTFOUND", "registry cannot be reached"),
        ("Temporary failure in name resolution", "registry cannot be reached"),
        ("error: Failed to fetch: `https://…`", "registry cannot be reached"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that was locked"),
        ("npm error code EUSAGE", "do not agree"),
        ("ensurepip is not available.", "python3-venv"),
        ("Permission denied: '/x'", "not allowed"),
        ("FATAL ERROR: JavaScript heap out of memory", "too little memory"),
    ],
)
def test_reasons(output: str, sentence: str) -> None:
    """What a tool prints is told in plain words."""
    assert sentence in (reason(output) or "")


def test_unknown_reason(tmp_path: Path) -> None:
    """A failure nobody foresaw is told in the tool's own last words, and where the rest is."""
    log = tmp_path / "x.log"
    assert str(failed("Doing it", log)) == f"Doing it failed: it said nothing (log: {log})."
    log.write_text("first\nlast words\n\n")
    assert str(failed("Doing it", log)) == f"Doing it failed: last words (log: {log})."
    assert last_lines(log, 2) == ["last words", ""]


def test_options() -> None:
    """Everything can be told through the environment, and nothing has to be."""
    assert Options.from_environment({}) == Options(data=Path(".data").absolute())
    told = {"PORT": "81", "VEHICLES": "9", "INTERVAL": "0.5", "SIMULATOR": "off", "DATA_DIR": "/x"}
    assert Options.from_environment(told) == Options(81, 9, 0.5, simulator=False, data=Path("/x"))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("PORT", "web", "PORT must be a number, not 'web'."),
        ("PORT", "nan", "PORT must be a number, not 'nan'."),
        ("PORT", "0", "PORT must be a whole number from 1 to 65535."),
        ("PORT", "65536", "PORT must be a whole number from 1 to 65535."),
        ("VEHICLES", "1.5", "VEHICLES must be a whole number from 1."),
        ("INTERVAL", "-1", "INTERVAL must be a number of seconds above 0."),
        ("INTERVAL", "inf", "INTERVAL must be a number, not 'inf'."),
        ("SIMULATOR", "maybe", "SIMULATOR must be on or off, not 'maybe'."),
    ],
)
def test_bad_options(name: str, text: str, sentence: str) -> None:
    """An option that makes no sense is refused by its name."""
    with pytest.raises(CannotStart) as refused:
        Options.from_environment({name: text})
    assert str(refused.value) == sentence
