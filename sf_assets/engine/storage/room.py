"""Full disks and too little memory: errors that name the place and what to do, instead of a block or nothing at all."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sf_assets.vocabulary.failures import PermanentFailure

_FULL = (errno.ENOSPC, errno.EDQUOT)
# What DuckDB says when a file that it writes, or one of its temporary files, finds no room; SQLite has words of its own.
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "database or disk is full")
_NO_SPILL = "failed to offload data block"


_AGAIN = "Then run it again: `sf run <job> <month>`, or *from failure* on the page of the run."


class LittleMemory(PermanentFailure):
    """A step needs more than the memory of its session, for something that cannot be spilled."""

    def __init__(self) -> None:
        super().__init__(
            "SF_MEMORY_LIMIT: expected enough memory for this step, found too little. Nothing of the step was stored. Raise the "
            f"limit, or lower SF_THREADS. {_AGAIN}"
        )


class FullDisk(PermanentFailure):
    """A disk has no room for what a step writes. Nothing of the step is stored; another try would find the same disk."""

    def __init__(self, place: str, advice: str) -> None:
        super().__init__(
            f"{place}: expected room for the files of this step, found a full disk. Nothing of the step was stored. {advice} "
            f"{_AGAIN}"
        )


@contextmanager
def room_in(folder: Path, advice: str = "Free space there.") -> Iterator[None]:
    """Raise a `FullDisk` that names a folder when a file in it finds no room."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise FullDisk(str(folder), advice) from error


@contextmanager
def room_of_engine(temporary: Path, tables: str) -> Iterator[None]:
    """Raise a `FullDisk` when DuckDB finds no room in its folder of temporary files, or where the tables are.

    Raises:
        LittleMemory: it finds none in memory, although there was room to spill.

    """
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        # The tables may be below the folder of temporary files.
        if _NO_SPILL in text or (is_full_disk(error) and str(temporary) in text and tables not in text):
            advice = "Free space there, or set SF_TEMP_DIRECTORY to a folder of another disk, or raise SF_MEMORY_LIMIT."
            raise FullDisk(str(temporary), advice) from None
        if is_full_disk(error):
            raise FullDisk(
                tables, "Free space there; `sf maintenance --apply` removes what is no longer needed."
            ) from None
        if isinstance(error, duckdb.OutOfMemoryException):
            raise LittleMemory from None
        raise


def is_full_disk(error: duckdb.Error) -> bool:
    """Return whether a file that DuckDB writes found no room."""
    return any(words in str(error) for words in _NO_ROOM)
