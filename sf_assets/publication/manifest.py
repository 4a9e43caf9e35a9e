"""The manifest of a published list: everything that its files were made from, with the checksum of each file."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from importlib.metadata import version as installed
from importlib.resources import files
from pathlib import Path
from typing import Any

from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.version import VERSION

MANIFEST = "manifeste.json"
# Libraries whose versions may change the bytes of a file or the values in it.
_LIBRARIES = ("duckdb", "numpy", "polars", "scikit-learn", "skops", "xlsxwriter", "jinja2", "markupsafe")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a published version was made from.

    `snapshot` is that of the warehouse, `inputs` one entry per table and month read, with its rows, a digest of their
    content and the snapshot that wrote them. `model` has the method, its version, the checksums of its stored files and
    its card. `code` is the version of the package, a digest of its files and the versions of libraries. `settings` are the
    parameters, `acceptances` the failed checks that were accepted, `files` the bytes and SHA-256 of each file by name.
    """

    month: date
    version: int
    published_by: str
    published_at: str
    reason: str
    snapshot: int
    list_version: int
    export_version: int
    scores_version: int
    code: Mapping[str, Any]
    settings: Mapping[str, Any]
    model: Mapping[str, Any]
    inputs: tuple[Mapping[str, Any], ...]
    acceptances: tuple[Mapping[str, Any], ...]
    changes: Mapping[str, int]
    recipients: tuple[Mapping[str, Any], ...]
    files: Mapping[str, Mapping[str, Any]]

    def to_json(self) -> str:
        """Return the manifest as JSON text; equal manifests give the same text."""
        return json.dumps(asdict(self), default=str, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def read_manifest(folder: Path, checksum: str) -> Manifest:
    """Return the manifest of a published folder, whose SHA-256 must be `checksum`.

    Raises:
        PermanentFailure: the manifest is missing or was changed.

    """
    path = folder / MANIFEST
    if not path.is_file():
        raise PermanentFailure(
            f"{path}: expected the manifest of a published list, found none. Restore it from a backup."
        )
    if (found := sha256_of(path)) != checksum:
        raise PermanentFailure(
            f"{path}: expected the SHA-256 {checksum} that list_publication records, found {found}. Somebody changed the "
            "manifest: restore the folder from a backup."
        )
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["month"] = date.fromisoformat(fields["month"])
    return Manifest(**fields | {name: tuple(fields[name]) for name in ("inputs", "acceptances", "recipients")})


def checksums_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the bytes and SHA-256 of every file of a folder and its sub-folders except the manifest, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in paths
    }


@cache
def code_in_use() -> dict[str, Any]:
    """Return the version of the package, a digest of all its files, and the versions of the libraries that write files."""
    root = Path(str(files("sf_assets")))
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"{path.relative_to(root).as_posix()} {sha256_of(path)}\n".encode())
    return {
        "version": VERSION,
        "digest": digest.hexdigest()[:16],
        "python": platform.python_version(),
        "libraries": {name: installed(name) for name in _LIBRARIES},
    }
