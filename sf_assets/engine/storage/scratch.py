"""Temporary folders with a lock, which tells those of running processes from the leftovers of killed ones."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sf_assets.engine.storage.room import room_in

PREFIX = "sf_assets_"
_LOCK = ".in_use"


def make_scratch(directory: str = "") -> tuple[Path, IO[bytes]]:
    """Create a temporary folder for this user only, inside `directory` or the system's; return it with its lock file.

    The lock is held until the file is closed, or until the last process that inherited it ends, even when killed.

    Raises:
        FullDisk: there is no room for a folder.

    """
    with room_in(Path(directory or tempfile.gettempdir()), "Free space there."):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=directory or None))
        lock = (folder / _LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


@contextmanager
def scratch_folder(directory: str = "") -> Iterator[Path]:
    """Yield a temporary folder, removed at the end of the block."""
    folder, lock = make_scratch(directory)
    try:
        with room_in(folder.parent, "Free space there, or set TMPDIR to a folder of another disk."):
            yield folder
    finally:
        drop_scratch(folder, lock)


def drop_scratch(folder: Path, lock: IO[bytes]) -> None:
    """Remove a temporary folder of this process and release its lock."""
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def is_unlocked(folder: Path) -> bool:
    """Return whether no process holds the lock of a temporary folder, or it has no lock file."""
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
