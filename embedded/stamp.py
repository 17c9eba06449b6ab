"""Remembers what something was made from, so that it is made again only when that has changed."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path


class Stamp:
    """A small file beside what was made, naming the sources it was made from."""

    def __init__(self, path: Path, sources: Iterable[Path]) -> None:
        self._path = path
        digest = hashlib.sha256()
        for source in sorted(sources):
            digest.update(f"{source.name}\0".encode())
            digest.update(hashlib.sha256(source.read_bytes()).digest())
        self._wanted = digest.hexdigest()

    def is_current(self) -> bool:
        """Answer whether it was made from the sources as they are now."""
        return self._path.is_file() and self._path.read_text(encoding="ascii") == self._wanted

    def keep(self, make: Callable[[], None]) -> None:
        """Make it unless it is current; what fails halfway counts as not made."""
        if not self.is_current():
            self._path.unlink(missing_ok=True)
            make()
            self._path.write_text(self._wanted, encoding="ascii")
