"""What a follower imports, which is most of the time that its start takes."""

from __future__ import annotations

import subprocess
import sys

MIGRATES, MEASURES = "alembic", "pyproj"


def _loaded_by(code: str) -> set[str]:
    listed = f"import sys, projections.__main__ as started; {code}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_a_follower_imports_only_what_it_uses() -> None:
    """Neither what migrates, nor what measures the ways of trips before there is one."""
    assert not {MIGRATES, MEASURES} & _loaded_by("pass")


def test_whoever_migrates_imports_what_migrates() -> None:
    """`db` is a command like the others: it is listed, and found when it is asked for."""
    asked = "started.Commands().main(['db', '--help'], standalone_mode=False)"
    assert MIGRATES in _loaded_by(asked)
