"""Comparison of the files of a batch with the files that were loaded last.

A new date alone does not make another delivery: bytes decide. Stocks take gigabytes, so a checksum is computed only for a
file whose name and size are those of the inspected one and whose time of change differs.
"""

from datetime import UTC, datetime
from pathlib import Path

from sf_assets.engine.storage import Session
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.sources.batch import Batch

_INSPECTED = "select source, file, bytes, delivered_at, sha256 from lake.src_arrivals where month = $month"


def file_states(batch: Batch) -> str:
    """Return the names, order, sizes and times of change of the files: a text that changes while files are being copied."""
    return ";".join(
        f"{batch.name_of(path)}:{_stat(path)}" for _, paths in sorted(batch.files.items()) for path in paths
    )


def reading_order(batch: Batch) -> str:
    """Return the names of the files in reading order. Rows depend on it: of two rows of one key, the last one read stays."""
    return ";".join(
        f"{source}:{batch.name_of(path)}" for source, paths in sorted(batch.files.items()) for path in paths
    )


def is_loaded(session: Session, batch: Batch) -> bool:
    """Tell whether the files of the batch are those last inspected for its month, byte for byte."""
    if batch.month not in session.months("src_arrivals"):
        return False
    rows = session.connection.execute(_INSPECTED, {"month": batch.month}).fetchall()
    inspected = {(source, file): (size, delivered, digest) for source, file, size, delivered, digest in rows}
    found = {(source, batch.name_of(path)): path for source, paths in batch.files.items() for path in paths}
    # Sizes of all files come first: they cost nothing, and most new deliveries differ in size.
    return (
        inspected.keys() == found.keys()
        and all(_size(path) == inspected[name][0] for name, path in found.items())
        and all(
            _delivered(path) == inspected[name][1] or (path.is_file() and sha256_of(path) == inspected[name][2])
            for name, path in found.items()
        )
    )


def _stat(path: Path) -> str:
    if not path.is_file():
        return "none"
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _delivered(path: Path) -> datetime | None:
    """Return the last change of a file as stored in `src_arrivals.delivered_at`."""
    if not path.is_file():
        return None
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None, microsecond=0)
