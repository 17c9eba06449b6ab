"""`make clean-data`: forgets what was kept between runs, but never under a running tracker.

Only the standard library: it works whether or not anything is installed.
"""

import contextlib
import os
import shutil
import sys
from pathlib import Path

from embedded.locks import GROUP, SUPERVISOR, take


def forget(data: Path) -> str:
    """Delete the folder if nobody uses it; answer what was done in one sentence."""
    if not (data / SUPERVISOR).is_file():
        if data.exists():
            raise FileExistsError(f"{data} is no data folder of the tracker; it stays.")
        return f"There is nothing in {data}."
    with contextlib.ExitStack() as held:
        for name in (SUPERVISOR, GROUP):
            if not take(held.enter_context((data / name).open("a"))):
                raise BlockingIOError(f"{data} is in use; stop `make run` first.")
        shutil.rmtree(data)
    return f"{data} is gone."


if __name__ == "__main__":
    try:
        sys.stdout.write(forget(Path(os.environ.get("DATA_DIR") or ".data").absolute()) + "\n")
    except OSError as error:
        sys.exit(f"{error}")
