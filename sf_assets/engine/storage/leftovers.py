"""What a killed run leaves on disk: temporary folders, and drafts of folders that were never published.

Nothing of a live run is removed: temporary folders have a lock while their process lives, and what is younger than two days
stays whatever it is.
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
# No run takes two days; the copy of a folder, or its first second without a lock, much less.
GRACE = timedelta(days=2)
# Drafts stand beside what they replace: a month's folder of lists or exports, or a version of a model two levels below.
_DEPTHS = ("", "*/", "*/*/")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Folders that a killed run left: `removed`, or to be removed by a dry run; `interrupted` publications for somebody to look at.

    A publication that was interrupted between its two renames may hold the only copy of what it replaced: it is never removed.
    """

    removed: tuple[Path, ...]
    interrupted: tuple[Path, ...]


def remove_leftovers(temporary: str, published: Iterable[Path], *, at: datetime, dry_run: bool) -> Leftovers:
    """Remove the leftovers below temporary directories, the system's and another one, and folders of what is published."""
    roots = [*published]
    system = tempfile.gettempdir()
    spills = dict.fromkeys(Path(root) for root in (temporary or system, system))
    spilled = [folder for root in spills for folder in _spilled(root) if _is_old(folder, at)]
    drafts = [folder for root in roots for folder in _drafts(root) if _is_old(folder, at)]
    interrupted = [folder for folder in drafts if folder.name.endswith(FORMER)]
    # Beside it, what was to take its place is needed to tell which of the two is the good one.
    beside = {folder.with_name(folder.name.removesuffix(FORMER)) for folder in interrupted}
    removed = [folder for folder in (*spilled, *drafts) if folder not in beside and folder not in interrupted]
    if not dry_run:
        for folder in removed:
            shutil.rmtree(folder, ignore_errors=True)
    return Leftovers(tuple(removed), tuple(interrupted))


def _spilled(root: Path) -> Iterator[Path]:
    """Yield the temporary folders of this user that no process holds."""
    for folder in sorted(root.glob(f"{PREFIX}*")) if root.is_dir() else ():
        # Live processes remove theirs meanwhile.
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
    """Tell whether nothing in a folder changed for long, nor the folder itself."""
    try:
        latest = max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return False
    return latest < (at - GRACE).timestamp()
