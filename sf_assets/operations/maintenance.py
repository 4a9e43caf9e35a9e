"""Maintenance of the warehouse and of what killed runs left beside it, for the job and the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.leftovers import Leftovers, remove_leftovers
from sf_assets.engine.storage.maintenance import LEAST_MONTHS, MaintenanceCounts, merge_and_expire
from sf_assets.engine.storage.objects import is_remote
from sf_assets.publication.versions import published_snapshots


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The result of one maintenance, or of its dry run: in the warehouse, and in the folders beside it.

    Of an object store, `uploads` counts the unfinished uploads that were ended, `unreferenced` the objects that no folder
    names and that were removed.
    """

    warehouse: MaintenanceCounts
    leftovers: Leftovers
    uploads: int = 0
    unreferenced: int = 0

    @property
    def metadata(self) -> dict[str, int | bool]:
        """The counts, by name."""
        done, left = self.warehouse, self.leftovers
        return {
            "dry_run": not done.done,
            "files_before": done.files_before,
            "files": done.files,
            "bytes_before": done.bytes_before,
            "bytes": done.bytes,
            "snapshots_expired": done.expired,
            "files_removed": done.removed,
            "orphans_removed": done.orphans,
            "leftovers_removed": len(left.removed),
            "interrupted_publications": len(left.interrupted),
            "uploads_ended": self.uploads,
            "objects_removed": self.unreferenced,
        }

    @property
    def summary(self) -> str:
        """The counts, in one line."""
        counts = self.metadata
        return ("dry run: " if counts["dry_run"] else "done: ") + (
            "{files_before} files before, {files} after; {snapshots_expired} snapshots expired; {files_removed} files, "
            "{orphans_removed} orphans and {leftovers_removed} leftovers removed"
            + ("; {uploads_ended} unfinished uploads ended" if self.uploads else "")
            + ("; {objects_removed} objects of killed publications removed" if self.unreferenced else "")
        ).format(**counts)

    def warnings(self) -> Iterator[str]:
        """Yield one line for each folder that an operator has to check."""
        whole = "is whole again" if self.warehouse.done else "will be whole again after maintenance"
        for folder in self.leftovers.interrupted:
            yield (
                f"{folder}: a publication was killed here, and the folder {whole}. Check that it holds what was handed over; if "
                "not, materialise its asset again"
            )


def run_maintenance(
    warehouse: Warehouse, folders: Folders, *, at: datetime, keep_months: int = LEAST_MONTHS, dry_run: bool = True
) -> Maintenance:
    """Merge small files, expire snapshots older than `keep_months`, remove unreferenced files and leftovers.

    Snapshots of published lists never expire. Writers wait meanwhile. `at` has a time zone; a dry run only counts.
    """
    with warehouse.session() as session:
        done = merge_and_expire(
            session, at=at, keep_months=keep_months, dry_run=dry_run, kept=published_snapshots(session)
        )
    written = [shelf.root for shelf in folders.written]
    unreferenced = sum(shelf.remove_unreferenced(at=at, dry_run=dry_run) for shelf in folders.written)
    stores = {shelf.store for shelf in folders.by_name.values() if shelf.store}
    remote = {(store.objects, store.address) for store in stores}
    if warehouse.objects and is_remote(warehouse.data_path):
        remote.add((warehouse.objects, warehouse.data_path))
    uploads = sum(objects.end_unfinished_uploads(address, at=at, dry_run=dry_run) for objects, address in remote)
    return Maintenance(
        done, remove_leftovers(warehouse.temp_directory, written, at=at, dry_run=dry_run), uploads, unreferenced
    )
