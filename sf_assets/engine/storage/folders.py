"""Folders that only their user may read, and folders whose files are replaced all at once."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sf_assets.engine.storage.room import room_in

DRAFT = ".draft-"
_COMPLETE, _FORMER = ".complete-", ".former-"


def make_private_folder(folder: Path) -> Path:
    """Create a folder and its missing parents, readable by this user only; return it.

    A folder that exists keeps its permissions, and its files follow the umask: opening a folder to a group is enough to
    share it.
    """
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _no_archive(_: Path) -> None:
    """Name no folder: the replaced content is deleted."""


def freeze_folder(folder: Path) -> None:
    """Take away the right to write in a folder, and all rights of other users, from everything that it holds."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    folder.chmod(0o500)


@contextmanager
def replace_folder(target: Path, archive: Callable[[Path], Path | None] = _no_archive) -> Iterator[Path]:
    """Yield a draft folder that replaces `target` at the end of the block; a failure leaves `target` unchanged.

    The former content of `target` moves to the folder that `archive` returns, called with the complete draft. It is deleted
    when `archive` returns None or a folder that exists. If the process is killed, `recover` completes the replacement, or
    cancels one whose draft was not complete, before the next one.

    Raises:
        FullDisk: the draft finds no room.

    """
    parent = make_private_folder(target.parent)
    recover(target)
    draft = parent / f"{DRAFT}{uuid.uuid4().hex}"
    draft.mkdir()
    try:
        with room_in(parent):
            yield draft
        archived = archive(draft)
        # Renamed, the draft is known to be complete, and which folder it replaces.
        draft.rename(_complete(target))
        if target.exists():
            target.rename(archived if archived and not archived.exists() else _former(target))
        _complete(target).rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        recover(target)


def recover(target: Path) -> None:
    """Complete or undo a replacement of `target` that was killed: the former or the new folder is there, never none."""
    complete, former = _complete(target), _former(target)
    if complete.exists() and not target.exists():
        complete.rename(target)
    shutil.rmtree(complete, ignore_errors=True)
    if former.exists() and not target.exists():
        former.rename(target)
    shutil.rmtree(former, ignore_errors=True)


def interrupted_in(parent: Path) -> dict[Path, tuple[Path, ...]]:
    """Return the folders of `parent` whose replacement was interrupted, each with what is left of it."""
    left: dict[Path, tuple[Path, ...]] = {}
    for prefix in (_COMPLETE, _FORMER):
        for folder in sorted(parent.glob(f"{prefix}*")):
            target = folder.with_name(folder.name.removeprefix(prefix))
            left[target] = (*left.get(target, ()), folder)
    return left


def _complete(target: Path) -> Path:
    return target.with_name(f"{_COMPLETE}{target.name}")


def _former(target: Path) -> Path:
    return target.with_name(f"{_FORMER}{target.name}")
