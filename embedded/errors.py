"""What can go wrong before the address is printed, each as one clear sentence.

Only the standard library is imported here: `embedded.install` runs before anything is installed.
"""

import re
from pathlib import Path

LAST_LINES = 200

# What the tools print, and what it means for the person who reads it. The first match counts.
_REASONS = {
    r"no space left on device|ENOSPC|disk quota exceeded": (
        "the disk is full; free some space and run it again"
    ),
    r"error while loading shared libraries: (?P<library>[^:\s]+)": (
        "this machine lacks the C library {library}; install it with the system's package manager"
    ),
    "ensurepip is not available|No module named '?(ensurepip|venv)": (
        "this Python cannot make virtual environments; install its venv module"
        " (Debian: apt-get install python3-venv)"
    ),
    "npm error code EUSAGE": (
        "frontend/package.json and its lock file do not agree; `npm install` there mends it"
    ),
    "do not match the hashes|hash mismatch|EINTEGRITY": (
        "a downloaded package is not the one that was locked; nothing of it was installed"
    ),
    (
        r"command '?\S*(gcc|g\+\+|cc|clang)'? failed|unable to execute '?\S*(gcc|cc|clang)"
        r"|fatal error: \S+\.h: No such file|compiler cannot create executables"
        r"|failed building wheel|failed to build|pg_config executable not found"
    ): (
        "a package has no ready-made wheel for this machine and could not be compiled; install a"
        " C compiler and Python's headers (Debian: apt-get install build-essential python3-dev)"
    ),
    (
        "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH"
        "|name resolution|dns error|failed to fetch|error sending request|NewConnectionError"
        "|Max retries exceeded|ReadTimeoutError|No matching distribution found"
    ): "the package registry cannot be reached; check the network and the proxy settings",
    "out of memory|ENOMEM|heap limit": "this machine has too little memory left",
    "permission denied|EACCES|read-only file system|EROFS": "writing there is not allowed",
}


class CannotStart(Exception):
    """One sentence for the person in front of the terminal, never shown with a traceback."""


def reason(output: str) -> str | None:
    """Answer what the tool's output means in plain words, or None when it is not known."""
    for pattern, sentence in _REASONS.items():
        if found := re.search(pattern, output, re.IGNORECASE):
            return sentence.format(**found.groupdict())
    return None


def failed(what: str, log: Path) -> CannotStart:
    """Say that `what` failed, why if the log tells, and where the log is."""
    lines = last_lines(log, LAST_LINES)
    said = [line for line in lines if line.strip()]
    why = reason("\n".join(lines)) or (said[-1].strip() if said else "it said nothing")
    return CannotStart(f"{what} failed: {why} (log: {log}).")


def last_lines(log: Path, count: int) -> list[str]:
    """Answer the last lines of a log; none if there is no log."""
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []
