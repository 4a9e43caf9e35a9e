"""Temporary folders that can be told from the leftovers of a killed process: the process that needs one holds its lock."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PREFIX = "sf_assets_"
_LOCK = ".in_use"


def make_scratch(directory: str = "") -> tuple[Path, IO[bytes]]:
    """Make a folder for this user alone, below `directory` or the system's; return it, and its lock, held until closed.

    The lock ends with the last process that inherited it, however that ends.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=directory or None))
    lock = (folder / _LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


@contextmanager
def scratch_folder(directory: str = "") -> Iterator[Path]:
    """Give a temporary folder that lasts as long as the block."""
    folder, lock = make_scratch(directory)
    try:
        yield folder
    finally:
        drop_scratch(folder, lock)


def drop_scratch(folder: Path, lock: IO[bytes]) -> None:
    """Remove a folder of this process, and release its lock."""
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def is_unlocked(folder: Path) -> bool:
    """Tell whether no process holds the lock of a temporary folder; one without a lock is as its age says."""
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
