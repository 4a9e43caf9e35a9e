"""Upkeep of the warehouse: small files merged, snapshots of long ago forgotten, files nobody reads any more removed.

These are those that the catalog no longer needs, and those it never knew: a run that was killed before its commit wrote them.

Merging keeps of each row the snapshot that wrote it, which the gate reads; rewriting files does not, and is not done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sf_assets.engine.storage.leftovers import GRACE
from sf_assets.engine.storage.session import Session
from sf_assets.vocabulary.partitions import add_months

LEAST_MONTHS = 24
# A session that reads an older snapshot may still need the files that a merge replaced.
_READERS = timedelta(days=2)
_SMALL = 1 << 20  # bytes of a file that is merged: the month of a large table keeps a file of its own


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What upkeep did, or would do: files and bytes of the tables, snapshots forgotten, files removed from disk.

    `orphans` are the files removed that no snapshot ever had.

    Without `done`, merging is not tried: `files` and `bytes` are as they were, and the files that forgetting would free
    are not counted.
    """

    done: bool
    files_before: int
    files: int
    bytes_before: int
    bytes: int
    forgotten: int
    removed: int
    orphans: int


def maintain(session: Session, *, at: datetime, keep_months: int, dry_run: bool) -> Upkeep:
    """Merge, forget snapshots older than `keep_months` whole months before `at`, remove files nobody reads.

    Every other writer waits meanwhile. `at` has a time zone.

    Raises:
        ValueError: fewer than 24 months would be kept.

    """
    if keep_months < LEAST_MONTHS:
        raise ValueError(f"keep_months: expected at least {LEAST_MONTHS}, found {keep_months}")
    oldest = add_months(at.date(), -keep_months)
    with session.catalog.one_writer(session.connection, "maintenance"):
        files_before, bytes_before = _size(session)
        if not dry_run:
            session.connection.execute(f"call ducklake_merge_adjacent_files('lake', max_file_size => {_SMALL})")
        forgotten = _rows(
            session,
            f"call ducklake_expire_snapshots('lake', dry_run => {dry_run}, older_than => timestamptz '{oldest} 00:00:00+00')",
        )
        removed = _rows(
            session,
            f"call ducklake_cleanup_old_files('lake', dry_run => {dry_run}, "
            f"older_than => timestamptz '{(at - _READERS).isoformat()}')",
        )
        # A transaction holds the lock of writers until its commit: none is writing files meanwhile.
        orphans = _rows(
            session,
            f"call ducklake_delete_orphaned_files('lake', dry_run => {dry_run}, "
            f"older_than => timestamptz '{(at - GRACE).isoformat()}')",
        )
        files, size = _size(session)
    return Upkeep(not dry_run, files_before, files, bytes_before, size, forgotten, removed, orphans)


def _size(session: Session) -> tuple[int, int]:
    ((files, size),) = session.connection.execute(
        "select coalesce(sum(file_count), 0)::bigint, coalesce(sum(file_size_bytes), 0)::bigint "
        "from ducklake_table_info('lake')"
    ).fetchall()
    return files, size


def _rows(session: Session, call: str) -> int:
    return len(session.connection.execute(call).fetchall())
