"""Comparison of the files of a batch with the files that were loaded last.

A new date alone does not make another delivery: bytes decide. Stocks take gigabytes, so a checksum is computed only for a
file whose name and size are those of the inspected one, and that the file system says was changed since.
"""

from functools import cache
from pathlib import Path

from sf_assets.engine.storage import Session
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.sources.arrival import ARRIVALS, changed_at
from sf_assets.sources.batch import Batch

_INSPECTED = "select source, file, bytes, changed_at, sha256 from src_arrivals where month = $month"


def file_states(batch: Batch) -> str:
    """Return the names, order, sizes and changes of the files: a text that changes while files are being copied."""
    return ";".join(
        f"{batch.name_of(path)}:{_state(path) or 'none'}" for _, paths in sorted(batch.files.items()) for path in paths
    )


def reading_order(batch: Batch) -> str:
    """Return the names of the files in reading order. Rows depend on it: of two rows of one key, the last one read stays."""
    return ";".join(
        f"{source}:{batch.name_of(path)}" for source, paths in sorted(batch.files.items()) for path in paths
    )


def is_loaded(session: Session, batch: Batch) -> bool:
    """Tell whether the files of the batch are those last inspected for its month, byte for byte."""
    if batch.month not in session.months(ARRIVALS.name):
        return False
    # A warehouse written by an older version may lack a column: through `bind` it reads as NULL.
    session.bind({ARRIVALS: None})
    rows = session.connection.execute(_INSPECTED, {"month": batch.month}).fetchall()
    inspected = {(source, file): (size, changed, digest) for source, file, size, changed, digest in rows}
    found = {(source, batch.name_of(path)): path for source, paths in batch.files.items() for path in paths}
    # Sizes of all files come first: they cost nothing, and most new deliveries differ in size.
    return (
        inspected.keys() == found.keys()
        and all(_size(path) == inspected[name][0] for name, path in found.items())
        and all(_is_unchanged(path, *inspected[name][1:]) for name, path in found.items())
    )


def _is_unchanged(path: Path, changed: object, sha256: str) -> bool:
    state = _state(path)
    return state is not None and (changed_at(path.stat()) == changed or _checksum(path, state) == sha256)


@cache
def _checksum(path: Path, _state: tuple[int, ...]) -> str:
    """Return the checksum of a file, read once for each of its states: a sensor asks every few minutes."""
    return sha256_of(path)


def _state(path: Path) -> tuple[int, ...] | None:
    if not path.is_file():
        return None
    stat = path.stat()
    return stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
