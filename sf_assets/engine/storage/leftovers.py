"""Removal of the folders that killed runs leave on disk: temporary folders, and drafts that were never published.

Folders of running processes stay: their lock is held while the process lives, and nothing younger than two days is removed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sf_assets.engine.storage.scratch import PREFIX, is_unlocked

DRAFT, FORMER = ".draft-", "-former"
# Longer than any run, and than the moment when a temporary folder exists without its lock.
GRACE = timedelta(days=2)
# A draft is beside the folder that it replaces: a month of lists or exports, or a version of a model two levels below.
_DEPTHS = ("", "*/", "*/*/")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Folders left by killed runs: `removed` ones (in a dry run, to remove), and `interrupted` publications to examine.

    A publication interrupted between its two renames may hold the only copy of the folder that it replaced: it is never
    removed.
    """

    removed: tuple[Path, ...]
    interrupted: tuple[Path, ...]


def remove_leftovers(temporary: str, published: Iterable[Path], *, at: datetime, dry_run: bool) -> Leftovers:
    """Remove leftovers of killed runs.

    They are searched in the temporary directory `temporary` (empty for none), in the system's, and in the `published`
    folders. `at` is the current time, with its time zone.
    """
    roots = [*published]
    system = tempfile.gettempdir()
    spills = dict.fromkeys(Path(root) for root in (temporary or system, system))
    spilled = [folder for root in spills for folder in _spilled(root) if _is_old(folder, at)]
    drafts = [folder for root in roots for folder in _drafts(root) if _is_old(folder, at)]
    interrupted = [folder for folder in drafts if folder.name.endswith(FORMER)]
    # The draft beside an interrupted publication is needed to decide which of the two folders is the right one.
    beside = {folder.with_name(folder.name.removesuffix(FORMER)) for folder in interrupted}
    removed = [folder for folder in (*spilled, *drafts) if folder not in beside and folder not in interrupted]
    if not dry_run:
        for folder in removed:
            shutil.rmtree(folder, ignore_errors=True)
    return Leftovers(tuple(removed), tuple(interrupted))


def _spilled(root: Path) -> Iterator[Path]:
    """Yield the temporary folders of this user that no process has locked."""
    for folder in sorted(root.glob(f"{PREFIX}*")) if root.is_dir() else ():
        # A running process may remove its folder meanwhile.
        with suppress(FileNotFoundError):
            if (
                folder.is_dir()
                and not folder.is_symlink()
                and folder.stat().st_uid == os.getuid()
                and is_unlocked(folder)
            ):
                yield folder


def _drafts(root: Path) -> Iterator[Path]:
    for depth in _DEPTHS:
        yield from (folder for folder in sorted(root.glob(f"{depth}{DRAFT}*")) if folder.is_dir())


def _is_old(folder: Path, at: datetime) -> bool:
    """Return whether neither the folder nor any file in it changed during the last two days."""
    try:
        latest = max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return False
    return latest < (at - GRACE).timestamp()
