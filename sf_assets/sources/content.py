"""What a batch holds, whatever its files are called on disk or when they were copied: checksums of bytes, by source."""

import hashlib
from pathlib import Path

from sf_assets.sources.batch import Batch
from sf_assets.storage import Session

_ARRIVED = "select source, file, sha256 from lake.src_arrivals where month = $month"


def checksum(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file, empty when there is no such file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def contents(batch: Batch) -> list[tuple[str, str, str]]:
    """Return source, name and checksum of each file of a batch, in the order in which they are read."""
    return [
        (source, batch.name_of(path), checksum(path)) for source, paths in sorted(batch.files.items()) for path in paths
    ]


def fingerprint(files: list[tuple[str, str, str]]) -> str:
    """Return a text that changes when the content, the name or the order of a file does, and only then."""
    return hashlib.sha256("\n".join(map("\t".join, files)).encode()).hexdigest()


def is_loaded(session: Session, batch: Batch, files: list[tuple[str, str, str]]) -> bool:
    """Tell whether the files that were last inspected for the month are these."""
    if batch.month not in session.months("src_arrivals"):
        return False
    arrived = session.connection.execute(_ARRIVED, {"month": batch.month}).fetchall()
    return sorted(arrived) == sorted(files)
