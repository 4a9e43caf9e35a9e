"""Folders of files that appear together or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path, aside: Path | None = None) -> Iterator[Path]:
    """Give a draft folder that replaces `target` once everything is written; a failure leaves `target` as it was.

    What `target` held is kept in the folder `aside`, or removed when that is None or was kept before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    former = draft.with_name(f"{draft.name}-former")
    try:
        yield draft
        draft.chmod(0o755)
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
