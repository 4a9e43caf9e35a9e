"""Maintenance of the warehouse: small files are merged, old snapshots expire, unreferenced files are removed.

Unreferenced files are those that no remaining snapshot needs, and orphans: files of a run that was killed before its commit.
Merging preserves the snapshot that wrote each row, which the gate reads. Rewriting files would lose it, and is not done.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.leftovers import GRACE
from sf_assets.engine.storage.session import Session
from sf_assets.vocabulary.partitions import add_months

LEAST_MONTHS = 24
# Files replaced by a merge stay for this long: a session that reads an older snapshot may still need them.
_READERS = timedelta(days=2)
_SMALL = (
    1 << 20
)  # bytes: only files below this size are merged, so that months of large tables stay in files of their own

# Files of one table from which on a statement on one of its months takes more than 0.2 s (docs/scale.md).
MOST_FILES = 5_000

_OLDER = read_sql("sf_assets.engine.storage", "older_snapshots")


@dataclass(frozen=True, slots=True)
class MaintenanceCounts:
    """Counts of one maintenance: files and bytes of the tables, expired snapshots, files removed from disk.

    `orphans` counts removed files that no snapshot ever referenced. `done` is false for a dry run, which does not merge:
    `files` and `bytes` are then unchanged, and files that the expiry would free are not counted.
    """

    done: bool
    files_before: int
    files: int
    bytes_before: int
    bytes: int
    expired: int
    removed: int
    orphans: int


def merge_and_expire(
    session: Session, *, at: datetime, keep_months: int, dry_run: bool, kept: Collection[int]
) -> MaintenanceCounts:
    """Merge small files, expire snapshots older than `keep_months` months before `at`, remove unreferenced files.

    The snapshots `kept` never expire, whatever their age, and neither does the last one.
    Other writers wait meanwhile. `at` is the current time, with its time zone; a dry run only counts.

    Raises:
        ValueError: `keep_months` is below 24.

    """
    if keep_months < LEAST_MONTHS:
        raise ValueError(f"keep_months: expected at least {LEAST_MONTHS}, found {keep_months}")
    oldest = add_months(at.date(), -keep_months)
    with session.catalog.one_writer(session.connection, "maintenance"):
        files_before, bytes_before = _size(session)
        if not dry_run:
            session.connection.execute(f"call ducklake_merge_adjacent_files('lake', max_file_size => {_SMALL})")
        expired = _expire(session, oldest, kept, dry_run=dry_run)
        removed = _count_rows(
            session,
            f"call ducklake_cleanup_old_files('lake', dry_run => {dry_run}, "
            f"older_than => timestamptz '{(at - _READERS).isoformat()}')",
        )
        # Files written ahead of a commit (`ahead.py`) are younger than any run, and stay.
        orphans = _count_rows(
            session,
            f"call ducklake_delete_orphaned_files('lake', dry_run => {dry_run}, "
            f"older_than => timestamptz '{(at - GRACE).isoformat()}')",
        )
        files, size = _size(session)
    return MaintenanceCounts(not dry_run, files_before, files, bytes_before, size, expired, removed, orphans)


def crowded_tables(session: Session) -> dict[str, int]:
    """Return the tables that have more than `MOST_FILES` files, with their number of files, the largest first."""
    crowded = "select table_name, file_count from ducklake_table_info('lake') where file_count > $most order by 2 desc"
    return dict(session.connection.execute(crowded, {"most": MOST_FILES}).fetchall())


def _expire(session: Session, oldest: date, kept: Collection[int], *, dry_run: bool) -> int:
    """Expire the snapshots older than a day except those `kept` and the last; return how many."""
    expired = [number for (number,) in session.connection.execute(_OLDER, [oldest, list(kept)]).fetchall()]
    if expired and not dry_run:
        session.connection.execute(f"call ducklake_expire_snapshots('lake', versions => {expired})")
    return len(expired)


def _size(session: Session) -> tuple[int, int]:
    ((files, size),) = session.connection.execute(
        "select coalesce(sum(file_count), 0)::bigint, coalesce(sum(file_size_bytes), 0)::bigint "
        "from ducklake_table_info('lake')"
    ).fetchall()
    return files, size


def _count_rows(session: Session, call: str) -> int:
    return len(session.connection.execute(call).fetchall())
