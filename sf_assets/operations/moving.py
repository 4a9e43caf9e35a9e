"""The move of a deployment of one machine to where its settings say now: an object store, PostgreSQL, or another folder.

It is a copy: the former deployment stays as it is, and goes on if the copy is given up.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.moving import copy_warehouse, require_empty
from sf_assets.engine.storage.room import room_in
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
        UserError: there is no former warehouse, it is the new one, or the new one has tables; or an entry of a folder is no file.
        PermanentFailure: a file or a table is not the same.

    """
    if not Path(source.catalog).is_file():
        raise UserError(f"{source.catalog}: expected the catalog of the former deployment, found none")
    if source.catalog == target.catalog:
        raise UserError(f"{source.catalog}: expected settings of another place, found those of the former deployment")
    if source.data_path == target.data_path:
        raise UserError(
            f"{source.data_path}: expected tables in another place too, found the former one: each catalog would remove files of "
            "the other. Set SF_TABLES or SF_DATA_DIR."
        )
    require_empty(target)
    files = {name: _copy_folder(former[name].root, new[name]) for name in new}
    return Moved(files, copy_warehouse(source, target))


def _copy_folder(source: Path, new: Shelf) -> int:
    """Copy what a folder holds, without drafts and other hidden entries; return the number of files.

    A copy on a disk has the rights and the dates of its original: nothing writes to a published version again.
    """
    checksums = {name: sha256_of(source / name) for name in _names_in(source)}
    copy = shutil.copyfile if new.store else shutil.copy2
    with new.whole() as root, room_in(root):
        for name in (name for name, checksum in checksums.items() if not _is_same(root / name, checksum)):
            draft = make_private_folder((root / name).parent) / f".{Path(name).name}.part"
            copy(source / name, draft)
            draft.replace(root / name)
    if new.store:
        new.store.fetch(new.root, "", afresh=True)
    else:
        for folder in sorted({parent for name in checksums for parent in Path(name).parents}, reverse=True):
            shutil.copymode(source / folder, new.root / folder)
    if wrong := [name for name, checksum in checksums.items() if not _is_same(new.root / name, checksum)]:
        raise PermanentFailure(f"{new.root}: expected the files of {source}, found others: {', '.join(wrong)}")
    return len(checksums)


def _names_in(source: Path) -> Iterator[str]:
    """Yield the path of each visible file below a folder, those behind links to folders included.

    Raises:
        UserError: an entry is neither a file nor a folder.
        OSError: a folder may not be read.

    """
    for folder, below, names in os.walk(source, onerror=_fail, followlinks=True) if source.is_dir() else ():
        below[:] = (name for name in below if not name.startswith("."))
        for path in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
            if not path.is_file():
                raise UserError(
                    f"{path}: expected a file, found something else, such as a link to nothing. Remove it first."
                )
            yield path.relative_to(source).as_posix()


def _fail(error: OSError) -> None:
    raise error


def _is_same(path: Path, checksum: str) -> bool:
    return path.is_file() and sha256_of(path) == checksum
