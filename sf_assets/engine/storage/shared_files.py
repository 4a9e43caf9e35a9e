"""Delivered files in an object store: whoever delivers puts one object per file, `2610/debits.csv`, and nothing else.

An object appears whole or not at all, as a file that is renamed does. A copy keeps the date at which the object was written.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.objects import ObjectStore, bucket_and_prefix
from sf_assets.engine.storage.shared_folders import alone, read_state, state_of, write_state

_KEY_LENGTH = 4  # of AAMM, at the start of a name

# Path below the root -> mark, size, and second of the last change of its object.
Known = Mapping[str, tuple[str, int, float]]


@dataclass(frozen=True, slots=True)
class SharedFiles:
    """The files below an address of an object store."""

    objects: ObjectStore
    address: str

    def fetch(self, root: Path, key: str, *, afresh: bool = False) -> None:
        """Make the files below `root` whose paths begin with `key` those of the store."""
        bucket, prefix = bucket_and_prefix(self.address)
        with alone(root, key):
            known, listed = ({} if afresh else _known(root, key)), self._listed(key)
            for path in _known(root, key).keys() - listed.keys():
                (root / path).unlink(missing_ok=True)
            for path, facts in listed.items():
                copy = root / path
                if known.get(path) != facts or not copy.is_file() or copy.stat().st_size != facts[1]:
                    draft = make_private_folder(copy.parent) / f".{copy.name}.{os.getpid()}.part"
                    self.objects.client().download_file(bucket, f"{prefix}{path}", str(draft))
                    os.utime(draft, (facts[2], facts[2]))
                    draft.replace(copy)
            write_state(root, key, listed)

    def publish(self, root: Path, key: str) -> None:
        """Write the files below `root` that are new or changed to the store, and delete those that are no longer there."""
        bucket, prefix = bucket_and_prefix(self.address)
        with alone(root, key):
            known = _known(root, key)
            there = {
                path.relative_to(root).as_posix(): path
                for path in (*root.glob(f"{key}*"), *root.glob(f"{key}*/**/*"))
                if path.is_file() and not path.name.startswith(".")
            }
            for name, path in there.items():
                _, size, changed = known.get(name, ("", -1, 0.0))
                if (path.stat().st_size, path.stat().st_mtime) != (size, changed):
                    self.objects.client().upload_file(str(path), bucket, f"{prefix}{name}")
            gone = [name for name in known if name not in there and not (root / name).is_file()]
            self.objects.delete(self.address, [f"{prefix}{name}" for name in gone])
            listed = self._listed(key)
            for name, path in there.items():
                if name in listed:
                    os.utime(path, (listed[name][2], listed[name][2]))
            write_state(root, key, {name: facts for name, facts in listed.items() if (root / name).is_file()})

    def names(self, root: Path) -> Path:
        """Return a folder with the names, sizes and dates of all files, without their content."""
        place = state_of(root) / "names"
        with alone(root, "names"):
            listed = self._listed("")
            for path in place.rglob("*") if place.is_dir() else ():
                if path.is_file() and path.relative_to(place).as_posix() not in listed:
                    path.unlink()
            for folder in sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True):
                if not any(folder.iterdir()):
                    folder.rmdir()
            for name, (_, size, changed) in listed.items():
                file = make_private_folder((place / name).parent) / Path(name).name
                if not file.is_file() or (file.stat().st_size, file.stat().st_mtime) != (size, changed):
                    file.touch(mode=0o600)
                    os.truncate(file, size)
                    os.utime(file, (changed, changed))
                # A description is read for the names that it holds.
                if file.parent == place and file.suffix == ".json":
                    file.write_bytes(self._content(name))
        return make_private_folder(place)

    def entries(self) -> list[str]:
        """Return the first parts of the paths of all files."""
        return sorted({path.partition("/")[0] for path in self._listed("")})

    def remove(self, root: Path, name: str) -> None:
        """Remove a folder or file at the top, here and in the store."""
        self.objects.delete(
            self.address, [key for part in (f"{name}/", name) for key, _ in self.objects.listed(self.address, part)]
        )
        shutil.rmtree(root / name, ignore_errors=True)
        (state_of(root) / f"{name[:_KEY_LENGTH]}.json").unlink(missing_ok=True)

    def remove_unreferenced(self, *, at: datetime, dry_run: bool) -> int:  # noqa: ARG002 - of all stores
        """Remove nothing: every object is a delivered file."""
        return 0

    def _content(self, name: str) -> bytes:
        bucket, prefix = bucket_and_prefix(self.address)
        content: bytes = self.objects.client().get_object(Bucket=bucket, Key=f"{prefix}{name}")["Body"].read()
        return content

    def _listed(self, key: str) -> dict[str, tuple[str, int, float]]:
        _, prefix = bucket_and_prefix(self.address)
        found = {}
        for path, facts in self.objects.listed(self.address, key):
            name = path.removeprefix(prefix)
            # Some programs mark a folder by an empty object; hidden files are no delivery.
            if not name.endswith("/") and not any(part.startswith(".") for part in name.split("/")):
                found[name] = (str(facts["ETag"]), int(facts["Size"]), facts["LastModified"].timestamp())
        return found


def _known(root: Path, key: str) -> dict[str, tuple[str, int, float]]:
    return {path: (mark, size, changed) for path, (mark, size, changed) in read_state(root, key).items()}
