"""Which files another account can reach: what root needs for servers that refuse to run as root."""

import pwd
import shutil
from pathlib import Path


def writable_to_all(folder: Path) -> bool:
    """Answer whether every account may write there."""
    return folder.stat().st_mode & 0o003 == 0o003  # noqa: PLR2004 - write and enter, for others


def give(folder: Path, account: str) -> None:
    """Make a folder and all in it the account's own, and reachable for it."""
    group = pwd.getpwnam(account).pw_gid
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, account, group)
    open_the_way(folder)


def open_to_all(folder: Path) -> None:
    """Let everybody read a folder and all in it, and reach it."""
    for path in (folder, *folder.rglob("*")):
        _allow(path, 0o055 if path.is_dir() else 0o044)
    open_the_way(folder)


def open_the_way(folder: Path) -> None:
    """Let everybody pass through the folders above."""
    for path in folder.parents:
        _allow(path, 0o011)


def _allow(path: Path, bits: int) -> None:
    """Add the permissions that are missing, and only those."""
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)
