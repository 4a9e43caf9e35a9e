"""Folders in an object store, replaced all at once: their files first, a manifest last.

A folder `2610` is the object `2610.json`, its manifest, which names an object for each file. Objects are never written again: a
reader that has a manifest finds exactly its files, and sees the folder as it was before or as it is after, never between.
"""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import make_private_folder, replace_folder
from sf_assets.engine.storage.leftovers import GRACE
from sf_assets.engine.storage.objects import ObjectStore, bucket_and_prefix, error_code
from sf_assets.vocabulary.failures import PermanentFailure

# Beside the copies: what each was made from.
STATE = ".shared"
_MANIFEST = ".json"
_MISSING = {"NoSuchKey", "404"}
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}

# Path below the folder -> size, checksum and object of a file.
Files = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SharedFolders:
    """The folders below an address of an object store."""

    objects: ObjectStore
    address: str

    def fetch(self, root: Path, key: str, *, afresh: bool = False) -> None:
        """Make the folders below `root` whose names begin with `key` those of the store.

        Raises:
            PermanentFailure: an object does not have the bytes of its manifest.

        """
        listed = self._listed(key)
        for name in _known_names(root, key) - listed.keys():
            with alone(root, name):
                _forget(root, name)
        for name, mark in listed.items():
            with alone(root, name):
                if afresh or _known(root, name)[0] != mark or not (root / name).is_dir():
                    self._copy(root, name, afresh=afresh)

    def publish(self, root: Path, key: str) -> None:
        """Make the folders of the store those below `root` whose names begin with `key`.

        Files that did not change keep their object. What was set aside is published before what took its place.

        Raises:
            PermanentFailure: somebody else published the folder since it was fetched.

        """
        there = sorted(path for path in root.glob(f"{key}*") if path.is_dir()) if root.is_dir() else []
        for folder in reversed(there):
            with alone(root, folder.name):
                self._publish(root, folder)

    def names(self, root: Path) -> Path:
        """Return a folder with one empty folder per folder of the store."""
        place = state_of(root) / "names"
        shutil.rmtree(place, ignore_errors=True)
        for name in self.entries():
            make_private_folder(place / name)
        return make_private_folder(place)

    def entries(self) -> list[str]:
        """Return the names of all folders of the store."""
        return sorted(self._listed(""))

    def remove(self, root: Path, name: str) -> None:
        """Remove a folder, here and in the store: its manifest first."""
        _, prefix = bucket_and_prefix(self.address)
        self.objects.delete(self.address, [f"{prefix}{name}{_MANIFEST}"])
        self.objects.delete(self.address, [key for key, _ in self.objects.listed(self.address, f"{name}/")])
        with alone(root, name):
            _forget(root, name)

    def remove_unreferenced(self, *, at: datetime, dry_run: bool) -> int:
        """Remove objects that no manifest names and that are more than two days older than `at`; return how many."""
        _, prefix = bucket_and_prefix(self.address)
        old = [key for key, facts in self.objects.listed(self.address) if facts["LastModified"] < at - GRACE]
        needed = {f"{prefix}{name}{_MANIFEST}" for name in self.entries()}
        for name in self.entries():
            files, _ = self._read(name)
            needed |= {f"{prefix}{name}/{file['object']}" for file in files.values()}
        left = [key for key in old if key not in needed]
        if not dry_run:
            self.objects.delete(self.address, left)
        return len(left)

    def _listed(self, key: str) -> dict[str, str]:
        """Return the mark of each manifest whose name begins with `key`, by the name of its folder."""
        _, prefix = bucket_and_prefix(self.address)
        found = self.objects.listed(self.address, key, flat=True)
        return {
            path.removeprefix(prefix).removesuffix(_MANIFEST): facts["ETag"]
            for path, facts in found
            if path.endswith(_MANIFEST)
        }

    def _read(self, name: str) -> tuple[Files, str | None]:
        """Return the files of a manifest and its mark; none and None when there is no such folder."""
        bucket, prefix = bucket_and_prefix(self.address)
        try:
            found = self.objects.client().get_object(Bucket=bucket, Key=f"{prefix}{name}{_MANIFEST}")
        except Exception as error:
            if error_code(error) not in _MISSING:
                raise
            return {}, None
        files: Files = json.loads(found["Body"].read())["files"]
        if outside := [
            path for path in files if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts
        ]:
            raise PermanentFailure(
                f"{self.address}/{name}{_MANIFEST}: expected paths below its folder, found {outside[0]!r}"
            )
        return files, found["ETag"]

    def _copy(self, root: Path, name: str, *, afresh: bool) -> None:
        files, mark = self._read(name)
        if mark is None:
            _forget(root, name)
            return
        _, former = _known(root, name)
        target = root / name
        _thaw(target)
        with replace_folder(target) as draft:
            for path, file in files.items():
                copy, here = make_private_folder((draft / path).parent) / Path(path).name, target / path
                if not afresh and former.get(path) == file and here.is_file():
                    os.link(here, copy)
                else:
                    self._download(name, file, copy)
        _remember(root, name, mark, files)

    def _download(self, name: str, file: Mapping[str, Any], copy: Path) -> None:
        bucket, prefix = bucket_and_prefix(self.address)
        self.objects.client().download_file(bucket, f"{prefix}{name}/{file['object']}", str(copy))
        if (found := sha256_of(copy)) != file["sha256"]:
            raise PermanentFailure(
                f"{self.address}/{name}/{file['object']}: expected the SHA-256 {file['sha256']} of its manifest, found {found}. "
                "Somebody changed the object: restore it from a backup."
            )

    def _publish(self, root: Path, folder: Path) -> None:
        bucket, prefix = bucket_and_prefix(self.address)
        mark, former = _known(root, folder.name)
        generation, files = uuid.uuid4().hex[:12], dict[str, Mapping[str, Any]]()
        client = self.objects.client()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            facts = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
            before = former.get(name, {})
            if {fact: before.get(fact) for fact in facts} == facts:
                files[name] = before
            else:
                files[name] = {**facts, "object": f"{generation}/{name}"}
                client.upload_file(str(path), bucket, f"{prefix}{folder.name}/{generation}/{name}")
        if files == former and mark:
            return
        condition = {"IfMatch": mark} if mark else {"IfNoneMatch": "*"}
        text = json.dumps({"files": files}, ensure_ascii=False, indent=1, sort_keys=True)
        try:
            mark = client.put_object(
                Bucket=bucket, Key=f"{prefix}{folder.name}{_MANIFEST}", Body=text.encode(), **condition
            )["ETag"]
        except Exception as error:
            if error_code(error) not in _CHANGED:
                raise
            # When the answer of the store was lost, the request was repeated after it had been obeyed.
            there, mark = self._read(folder.name)
            if there == files:
                _remember(root, folder.name, str(mark), files)
                return
            raise PermanentFailure(
                f"{self.address}/{folder.name}: expected the folder as it was when this step began, found one that another run "
                "published meanwhile. Run the step again."
            ) from error
        _remember(root, folder.name, mark, files)


def state_of(root: Path) -> Path:
    """Return the folder that says what the copies below `root` were made from."""
    return root.parent / STATE / root.name


def read_state(root: Path, name: str) -> dict[str, Any]:
    """Return what a copy below `root` was made from; nothing when there is none."""
    try:
        facts: dict[str, Any] = json.loads((state_of(root) / f"{name}{_MANIFEST}").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return facts


def write_state(root: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Write what a copy below `root` was made from."""
    state = make_private_folder(state_of(root)) / f"{name}{_MANIFEST}"
    draft = state.with_name(f".{state.name}.{os.getpid()}")
    draft.write_text(json.dumps(facts), encoding="utf-8")
    draft.replace(state)


def _known_names(root: Path, key: str) -> set[str]:
    return {path.name.removesuffix(_MANIFEST) for path in state_of(root).glob(f"{key}*{_MANIFEST}")}


def _known(root: Path, name: str) -> tuple[str | None, Files]:
    """Return the mark and the files of the manifest that a copy was made from."""
    facts = read_state(root, name)
    return facts.get("mark"), facts.get("files", {})


def _remember(root: Path, name: str, mark: str, files: Files) -> None:
    write_state(root, name, {"mark": mark, "files": files})


def _forget(root: Path, name: str) -> None:
    """Remove the copy of a folder that is no longer in the store; the caller keeps others from it."""
    (state_of(root) / f"{name}{_MANIFEST}").unlink(missing_ok=True)
    _thaw(root / name)
    shutil.rmtree(root / name, ignore_errors=True)


def _thaw(folder: Path) -> None:
    """Give back the right to remove what a frozen folder holds."""
    for path in (folder, *folder.rglob("*")) if folder.is_dir() else ():
        if path.is_dir():
            path.chmod(0o700)


@contextmanager
def alone(root: Path, name: str) -> Iterator[None]:
    """Keep other processes of this machine from the copy of a folder."""
    with (make_private_folder(state_of(root)) / f".{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
