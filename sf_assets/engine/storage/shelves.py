"""The folders of a deployment, each with entries by month: on this machine, or in an object store that machines share.

Code reads and writes files of this machine. With a store, they are a copy of what is there: fetched before they are read, and
published after they are written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from sf_assets.engine.storage.objects import ObjectStore


class SharedStore(Protocol):
    """The entries of one folder in an object store, by the key with which their names begin."""

    @property
    def objects(self) -> ObjectStore:
        """The store."""

    @property
    def address(self) -> str:
        """The address of the folder."""

    def fetch(self, root: Path, key: str, *, afresh: bool = False) -> None:
        """Make the entries below `root` those of the store; `afresh` downloads again what is there already."""

    def publish(self, root: Path, key: str) -> None:
        """Make the entries of the store those below `root`."""

    def names(self, root: Path) -> Path:
        """Return a folder with the names, sizes and dates of all files, without their content."""

    def entries(self) -> list[str]:
        """Return the names of all entries."""

    def remove(self, root: Path, name: str) -> None:
        """Remove an entry, here and in the store."""

    def remove_unreferenced(self, *, at: datetime, dry_run: bool) -> int:
        """Remove what killed publications left for more than two days before `at`; return how many objects."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder `root`, whose entries begin with the key AAMM of their month: `2610`, `2610_v1`, `2610.json`."""

    root: Path
    store: SharedStore | None = None

    def of(self, month: date, *, afresh: bool = False) -> Path:
        """Return the folder, in which the entries of a month are those of the store."""
        if self.store:
            self.store.fetch(self.root, key_of(month), afresh=afresh)
        return self.root

    def share(self, month: date) -> None:
        """Publish the entries of a month as they are in the folder."""
        if self.store:
            self.store.publish(self.root, key_of(month))

    @contextmanager
    def writing(self, month: date) -> Iterator[Path]:
        """Yield the folder, with the entries of a month; publish them at the end of the block, unless it fails."""
        yield self.of(month)
        self.share(month)

    @contextmanager
    def whole(self) -> Iterator[Path]:
        """Yield the folder with the entries of all months; publish them at the end of the block, unless it fails."""
        if self.store:
            self.store.fetch(self.root, "")
        yield self.root
        if self.store:
            self.store.publish(self.root, "")

    def names(self) -> Path:
        """Return a folder in which files have their names, sizes and dates; with a store, they have no content."""
        return self.store.names(self.root) if self.store else self.root

    def entries(self) -> list[str]:
        """Return the names of the entries that are only in a store; none without one."""
        return self.store.entries() if self.store else []

    def remove(self, name: str) -> None:
        """Remove an entry from the store, and its copy."""
        if self.store:
            self.store.remove(self.root, name)

    def remove_unreferenced(self, *, at: datetime, dry_run: bool) -> int:
        """Remove from the store what killed publications left; return how many objects."""
        return self.store.remove_unreferenced(at=at, dry_run=dry_run) if self.store else 0


def key_of(month: date) -> str:
    """Return the key with which the entries of a month begin.

    >>> key_of(date(2026, 10, 1))
    '2610'
    """
    return f"{month:%y%m}"
