"""Folders of files that appear together or not at all."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def private(folder: Path) -> Path:
    """Make a folder, and those above it that are missing, for this user alone; return it.

    One that is there already keeps the rights that somebody gave it, and files in it follow the umask: what is shared
    with a group is shared by opening the folder to it.
    """
    if not folder.is_dir():
        private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def replacing(target: Path, aside: Path | None = None) -> Iterator[Path]:
    """Give a draft folder that replaces `target` once everything is written; a failure leaves `target` as it was.

    What `target` held is kept in the folder `aside`, or removed when that is None or was kept before.
    """
    draft = private(target.parent) / f".draft-{uuid.uuid4().hex}"
    draft.mkdir()
    former = draft.with_name(f"{draft.name}-former")
    try:
        yield draft
        if target.exists():
            target.rename(former)
        draft.rename(target)
        if aside and former.exists() and not aside.exists():
            former.rename(aside)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if former.exists() and not target.exists():
            former.rename(target)
        shutil.rmtree(former, ignore_errors=True)
