"""`python -m embedded`: run everything until Ctrl-C or SIGTERM."""

import os
import signal
import sys
import traceback
from pathlib import Path

from embedded.errors import CannotStart, reason
from embedded.options import Options
from embedded.terminal import Terminal
from embedded.tracker import Tracker


def main() -> int:
    """Run the tracker; whatever goes wrong is one sentence and an exit code that is not 0."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    terminal = Terminal()
    log = Path("unexpected.log").absolute()
    try:
        options = Options.from_environment(os.environ)
        tracker = Tracker(options, terminal)
        log = options.data / "logs" / "unexpected.log"
        tracker.run()
    except KeyboardInterrupt:
        terminal.say("Stopped; nothing that was answered 202 is lost.")
        return 0
    except CannotStart as error:
        terminal.fail(str(error))
    except OSError as error:
        why = reason(str(error)) or error.strerror
        terminal.fail(f"It cannot go on with {error.filename or 'its work'}: {why}.")
    except Exception:  # noqa: BLE001 - nobody asked for a traceback on the terminal
        log.write_text(traceback.format_exc(), encoding="utf-8")
        terminal.fail(f"Something went wrong that should not have (log: {log}).")
    return 1


def _interrupt(*_: object) -> None:
    # Once is enough: stopping is bounded and must not be interrupted halfway.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
