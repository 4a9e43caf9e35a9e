"""Removal of the folders that killed runs leave on disk: temporary folders, and publications that were not finished.

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

from sf_assets.engine.storage.folders import DRAFT, interrupted_in, recover
from sf_assets.engine.storage.scratch import PREFIX, is_unlocked

# Longer than any run, and than the moment when a temporary folder exists without its lock.
GRACE = timedelta(days=2)
# A draft is beside the folder that it replaces: a month of lists or exports, or a version of a model two levels below.
_DEPTHS = ("", "*/", "*/*/")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Folders left by killed runs: `removed` ones, and the folders whose replacement was `interrupted` and is now whole.

    In a dry run they are those to remove, and to complete or undo.
    """

    removed: tuple[Path, ...]
    interrupted: tuple[Path, ...]


def remove_leftovers(temporary: str, published: Iterable[Path], *, at: datetime, dry_run: bool) -> Leftovers:
    """Remove leftovers of killed runs, and complete or undo their publications, so that each folder is there.

    They are searched in the temporary directory `temporary` (empty for none), in the system's, and in the `published`
    folders. `at` is the current time, with its time zone.
    """
    roots = [*published]
    system = tempfile.gettempdir()
    spills = dict.fromkeys(Path(root) for root in (temporary or system, system))
    spilled = [folder for root in spills for folder in _spilled(root) if _is_old(folder, at)]
    drafts = [folder for root in roots for folder in _drafts(root) if _is_old(folder, at)]
    # A folder set aside keeps the time of its content: the new one, which is complete first, tells when that was.
    interrupted = [target for root in roots for target, left in interrupted_in(root).items() if _is_old(left[0], at)]
    if not dry_run:
        for folder in (*spilled, *drafts):
            shutil.rmtree(folder, ignore_errors=True)
        for target in interrupted:
            recover(target)
    return Leftovers((*spilled, *drafts), tuple(interrupted))


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
