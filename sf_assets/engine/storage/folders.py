"""Folders of files that appear together or not at all."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def make_private_folder(folder: Path) -> Path:
    """Make a folder, and those above it that are missing, for this user alone; return it.

    One that is there already keeps the rights that somebody gave it, and files in it follow the umask: what is shared
    with a group is shared by opening the folder to it.
    """
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _nowhere(_: Path) -> None:
    """Keep nothing of what a folder held."""


@contextmanager
def replace_folder(target: Path, aside: Callable[[Path], Path | None] = _nowhere) -> Iterator[Path]:
    """Give a draft folder that replaces `target` once everything is written; a failure leaves `target` as it was.

    What `target` held is kept in the folder that `aside` names, asked once the draft is complete, or removed when that is
    None or was kept before. A publication that was killed between two of its steps is brought to its end, or undone when
    it had not begun, before the next one: the folders it leaves behind say how far it went (`recover`).
    """
    parent = make_private_folder(target.parent)
    recover(target)
    draft = parent / f".draft-{uuid.uuid4().hex}"
    draft.mkdir()
    try:
        yield draft
        kept = aside(draft)
        # From here on the draft is complete: its name says whose place it takes.
        draft.rename(_complete(target))
        if target.exists():
            target.rename(kept if kept and not kept.exists() else _former(target))
        _complete(target).rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        recover(target)


def recover(target: Path) -> None:
    """Bring a publication of `target` that was killed to its end: there is the former folder or the new one, never none."""
    complete, former = _complete(target), _former(target)
    if complete.exists() and not target.exists():
        complete.rename(target)
    shutil.rmtree(complete, ignore_errors=True)
    if former.exists() and not target.exists():
        former.rename(target)
    shutil.rmtree(former, ignore_errors=True)


def _complete(target: Path) -> Path:
    return target.with_name(f".complete-{target.name}")


def _former(target: Path) -> Path:
    return target.with_name(f".former-{target.name}")
