"""The move of a deployment of one machine to where its settings say now: an object store, PostgreSQL, or another folder.

It is a copy: the former deployment stays as it is, and goes on if the copy is given up.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.moving import copy_warehouse, require_empty
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.vocabulary.failures import PermanentFailure, UserError


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied: the files of each folder, the rows of each table."""

    files: Mapping[str, int]
    rows: Mapping[str, int]

    @property
    def summary(self) -> str:
        """The result, in one sentence."""
        files, rows = sum(self.files.values()), sum(self.rows.values())
        return f"{files} files in {len(self.files)} folders, {rows:,} rows in {len(self.rows)} tables: copied, and compared."


def move(source: Warehouse, target: Warehouse, former: Mapping[str, Shelf], new: Mapping[str, Shelf]) -> Moved:
    """Copy the folders of a deployment, then its warehouse, whose catalog comes last; compare every byte and every row.

    Nothing may write to the former deployment meanwhile. An interrupted copy goes on when it is started again.

    Raises:
        UserError: there is no former warehouse, it is the new one, or the new one has tables.
        PermanentFailure: a file or a table is not the same.

    """
    if not Path(source.catalog).is_file():
        raise UserError(f"{source.catalog}: expected the catalog of the former deployment, found none")
    if source.catalog == target.catalog:
        raise UserError(f"{source.catalog}: expected settings of another place, found those of the former deployment")
    require_empty(target)
    files = {name: _copy_folder(former[name].root, new[name]) for name in new}
    return Moved(files, copy_warehouse(source, target))


def _copy_folder(source: Path, new: Shelf) -> int:
    """Copy what a folder holds, without drafts and other hidden entries; return the number of files."""
    paths = [path for path in sorted(source.rglob("*")) if path.is_file()] if source.is_dir() else []
    checksums = {name: sha256_of(source / name) for path in paths if (name := _visible(path.relative_to(source)))}
    with new.whole() as root:
        for name in (name for name, checksum in checksums.items() if not _is_same(root / name, checksum)):
            draft = make_private_folder((root / name).parent) / f".{Path(name).name}.part"
            shutil.copyfile(source / name, draft)
            draft.replace(root / name)
    if new.store:
        new.store.fetch(new.root, "", afresh=True)
    if wrong := [name for name, checksum in checksums.items() if not _is_same(new.root / name, checksum)]:
        raise PermanentFailure(f"{new.root}: expected the files of {source}, found others: {', '.join(wrong)}")
    return len(checksums)


def _visible(path: Path) -> str:
    """Return a path as text; empty when one of its parts is hidden."""
    return "" if any(part.startswith(".") for part in path.parts) else path.as_posix()


def _is_same(path: Path, checksum: str) -> bool:
    return path.is_file() and sha256_of(path) == checksum
