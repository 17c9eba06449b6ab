"""A program's log: begun anew with every run, and never larger than it may be."""

import os
import shutil
from pathlib import Path

LARGEST_BYTES = 10_000_000


class LogFile:
    """One log and the one before it, at most `LARGEST_BYTES` each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._previous = path.with_name(f"{path.name}.1")
        if path.exists():
            path.replace(self._previous)
        path.touch()

    def trim(self) -> None:
        """Put a log that has grown too large aside; its program goes on writing as if nothing was.

        Programs append, so what they write after the cut lands at the beginning.
        """
        if self.path.stat().st_size > LARGEST_BYTES:
            shutil.copyfile(self.path, self._previous)
            os.truncate(self.path, 0)
