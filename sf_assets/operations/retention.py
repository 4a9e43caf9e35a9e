"""Retention: rows, snapshots and folders past their time are removed, and a scan proves that nothing of them is left."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from sf_assets.catalogue.retention import FOLDERS, keep_of
from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.carrying import carry_verdicts, checked_writes
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.blanking import NOTHING, Columns, blank_columns, files_with_values, stored_values
from sf_assets.engine.storage.retention import (
    ExpiredRows,
    catalog_identifiers,
    delete_rows,
    expired_rows,
    files_with_identifiers,
    months_condition,
    needed_files,
    remember_identifiers,
    remove_files,
    stored_tables,
)
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.publication.versions import published_snapshots
from sf_assets.sources.batch import is_key, month_of
from sf_assets.vocabulary.partitions import add_months

NO_SHELVES: Mapping[str, Shelf] = MappingProxyType({})
_KEY = 4  # characters of a month's key, at the start of the name of its folder


@dataclass(frozen=True, slots=True)
class Retention:
    """The result of a retention, or of its dry run.

    `rows` and `folders` are past their time. `identifiers` counts the companies that no remaining row names, `removed` the
    files removed from the warehouse. `left` names files that still hold one of these identifiers, or a value of a dropped
    column, and `in_catalog` counts the statistics of columns that do: none is expected. `dropped` counts the rows of each
    table that had a value in a column that the deployment drops.
    """

    done: bool
    rows: tuple[ExpiredRows, ...]
    folders: tuple[str, ...]
    identifiers: int = 0
    removed: int = 0
    left: tuple[str, ...] = ()
    in_catalog: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether neither a file nor the catalog holds any more what was removed."""
        return not self.left and not self.in_catalog

    @property
    def metadata(self) -> dict[str, int | bool]:
        """The counts, by name."""
        return {
            "dry_run": not self.done,
            "rows": sum(item.rows for item in self.rows),
            "tables": len(self.rows),
            "folders": len(self.folders),
            "identifiers": self.identifiers,
            "files_removed": self.removed,
            "files_left_with_identifiers": len(self.left),
            "statistics_left_with_identifiers": self.in_catalog,
        }

    def lines(self) -> Iterator[str]:
        """Yield what was, or would be, removed: one line per table and folder, then the proof."""
        verb = "removed" if self.done else "to remove"
        for item in self.rows:
            yield f"{item.table}: {item.rows} rows {verb}, {item.months[0]:%Y-%m} to {item.months[-1]:%Y-%m}"
        yield from (f"{folder}: {verb}" for folder in self.folders)
        yield from (
            f"{table}: {rows} rows with values of dropped columns {verb}" for table, rows in self.dropped.items()
        )
        if not self.done:
            yield f"dry run: {sum(item.rows for item in self.rows)} rows and {len(self.folders)} folders are past their time"
        elif not self.clean:
            where = f"{len(self.left)} files and {self.in_catalog} statistics of the catalog"
            yield f"NOT CLEAN: {where} still hold expired identifiers: {', '.join(self.left)}"
        else:
            yield f"scanned: none of {self.identifiers} expired identifiers is left in the files and the catalog"


def run_retention(
    warehouse: Warehouse,
    data: Path,
    *,
    at: datetime,
    dry_run: bool = True,
    dropped: Columns = NOTHING,
    shelves: Mapping[str, Shelf] = NO_SHELVES,
) -> Retention:
    """Remove what is past its time, or count it. Nothing else may run meanwhile; `data` is the folder of the deployment.

    Of `shelves`, by name, the entries in an object store are removed too.
    `dropped` are columns, by table, whose values are removed from rows already stored.
    What published lists need to be rebuilt stays until the lists themselves are past their time.
    """
    folders = tuple(_expired_folders(data, at))
    shared = tuple(_expired_entries(shelves, at))
    past = (*map(str, folders), *(f"{name}/{entry}" for name, entry in shared))
    with warehouse.session() as session:
        kept_months = {table: keep_of(table).months for table in stored_tables(session)}
        expired = expired_rows(session, kept_months, at.date())
        filled = stored_values(session, dropped)
        if dry_run:
            return Retention(done=False, rows=expired, folders=past, dropped=filled)
        identifiers = remember_identifiers(session, expired)
        before = checked_writes(session, SUITES)
        delete_rows(session, {item.table: months_condition(item.months) for item in expired})
        blank_columns(session, dropped)
        carry_verdicts(session, SUITES, before)
        # A list past its time is no longer published: its snapshot goes with it.
        kept = published_snapshots(session)
        removed = remove_files(session, kept)
        left, in_catalog = files_with_identifiers(session, kept), catalog_identifiers(session, kept)
        left += files_with_values(session, dropped, needed_files(session, kept))
    for folder in folders:
        _remove(folder)
    for name, entry in shared:
        shelves[name].remove(entry)
    return Retention(
        done=True,
        rows=expired,
        folders=past,
        identifiers=identifiers,
        removed=removed,
        left=left,
        in_catalog=in_catalog,
        dropped=filled,
    )


def _expired_folders(data: Path, at: datetime) -> Iterator[Path]:
    for name, keep in FOLDERS.items():
        oldest = add_months(at.date(), -keep.months)
        for folder in sorted((data / name).glob("*")):
            key = folder.name[:_KEY]
            if folder.is_dir() and is_key(key) and month_of(key) < oldest:
                yield folder


def _expired_entries(shelves: Mapping[str, Shelf], at: datetime) -> Iterator[tuple[str, str]]:
    """Yield the entries in an object store whose time is past, each after the name of its shelf."""
    for name, keep in FOLDERS.items():
        oldest = add_months(at.date(), -keep.months)
        for entry in shelves[name].entries() if name in shelves else ():
            if is_key(entry[:_KEY]) and month_of(entry[:_KEY]) < oldest:
                yield name, entry


def _remove(folder: Path) -> None:
    """Remove a folder, also a frozen one."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)
