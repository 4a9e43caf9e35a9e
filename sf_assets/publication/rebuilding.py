"""The proof of a published list: its files are made again from the recorded snapshot and model, and every byte is compared."""

import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sf_assets.engine.errors import ENGINE_ERRORS, describe_error
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.publication.inputs import input_digests, model_checksums
from sf_assets.publication.manifest import Manifest, checksums_of, code_in_use, read_manifest
from sf_assets.publication.publishing import version_folder
from sf_assets.publication.versions import Published, published_versions
from sf_assets.publication.writing import Order, write_publication
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import parse_month


@dataclass(frozen=True, slots=True)
class Proof:
    """What a rebuilding found, as names of files, tables and months.

    `altered` files of the published folder are no longer those of the manifest. `inputs` and `model` name what is no longer
    as recorded. `different` files came out with other bytes; `failure` says why none could be written. `same_code` is whether
    the code and libraries in use are those that published, `tag` the version to install otherwise.
    """

    month: date
    version: int
    files: int
    altered: tuple[str, ...]
    inputs: tuple[str, ...]
    model: tuple[str, ...]
    different: tuple[str, ...]
    failure: str
    same_code: bool
    tag: str

    @property
    def same(self) -> bool:
        """Whether every file was made again byte by byte from the same inputs, and the published ones are unchanged."""
        return self.sources_same and not (self.different or self.failure)

    @property
    def sources_same(self) -> bool:
        """Whether the inputs and the model are those recorded, and the published files unchanged."""
        return not (self.altered or self.inputs or self.model)

    @property
    def explained(self) -> bool:
        """Whether the only reason why bytes differ is that the code changed since."""
        return not self.same and self.sources_same and not self.same_code

    @property
    def summary(self) -> str:
        """The result, in sentences that end with what to do."""
        name = f"list of {self.month:%Y-%m}, version {self.version}"
        if self.same:
            return f"{name}: rebuilt, {self.files} files are the same byte by byte."
        parts = [f"{name}: not rebuilt as published."]
        for found, what in (
            (self.altered, "published files were changed or removed, restore them from a backup"),
            (self.inputs, "inputs are not those recorded, restore the warehouse from a backup"),
            (self.model, "files of the model are not those recorded, restore the folder of models from a backup"),
        ):
            if found:
                parts.append(f"Expected the recorded checksums, found others: {what}: {', '.join(found)}.")
        if self.sources_same:
            parts.append("Published files, inputs and model are those recorded.")
        if self.failure:
            parts.append(f"This code cannot write the files: {self.failure}")
        if self.different:
            parts.append(f"Files that come out with other bytes: {', '.join(self.different)}.")
        if not self.same_code:
            parts.append(f"The code changed since: install {self.tag}, then run this command again.")
        return " ".join(parts)


def find_version(session: Session, month: date, version: int) -> Published:
    """Return one published version.

    Raises:
        PermanentFailure: it was never published; the message names the versions that were.

    """
    versions = {published.version: published for published in published_versions(session, month)}
    if version not in versions:
        known = ", ".join(map(str, versions)) or "none"
        raise PermanentFailure(f"list of {month:%Y-%m}: expected a published version, one of {known}, found {version}")
    return versions[version]


def rebuild(
    warehouse: Warehouse, gate: Gate, folders: Folders, month: date, version: int, *, into: Path | None = None
) -> Proof:
    """Make the files of a published version again, in the empty folder `into` or a temporary one, and compare every byte.

    Raises:
        PermanentFailure: the version was never published, its manifest was changed, its snapshot is gone, or `into` has files.

    """
    if into is not None and into.is_dir() and any(into.iterdir()):
        raise PermanentFailure(f"{into}: expected an empty folder, found files. Name another folder.")
    with warehouse.session() as session:
        published = find_version(session, month, version)
        kept = session.connection.execute(
            "select count(*) from lake.snapshots() where snapshot_id = $1", [published.snapshot]
        ).fetchall()[0][0]
    folder = version_folder(folders.published, month, version, afresh=True)
    manifest = read_manifest(folder, published.manifest)
    if not kept:
        raise PermanentFailure(
            f"list of {month:%Y-%m}, version {version}: expected snapshot {published.snapshot} in the warehouse, found none. It "
            "expired outside of `sf maintenance`: restore the warehouse from a backup."
        )
    with tempfile.TemporaryDirectory(prefix="sf_rebuild_") as temporary:
        target = into or Path(temporary)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replace(warehouse, snapshot=published.snapshot).session() as session:
            return _prove(session, gate, folders, manifest, target)


def _prove(session: Session, gate: Gate, folders: Folders, manifest: Manifest, target: Path) -> Proof:
    recorded = {(entry["table"], parse_month(f"{entry['month']}-01")): entry for entry in manifest.inputs}
    inputs = [
        f"{entry['table']} of {entry['month']}"
        for entry in input_digests(session, recorded)
        if entry != recorded[entry["table"], parse_month(f"{entry['month']}-01")]
    ]
    model = manifest.model
    stored = model_checksums(folders.models, manifest.month, model["method"], model["version"])
    altered_model = _differing(model["files"], stored)
    # A manifest is read from JSON: both sides hold the same plain values.
    same_code = manifest.code == code_in_use()
    failure = ""
    parameters = Parameters(**manifest.settings)
    order = Order(manifest.month, manifest.version, manifest.reason, parameters, folders.models)
    try:
        write_publication(session, gate, order, target)
    except (PermanentFailure, ValueError, LookupError, *ENGINE_ERRORS) as error:
        # A bug of this code is raised; the failure of other code, or on other inputs, is a finding.
        if same_code and not (inputs or altered_model):
            raise
        failure = str(getattr(error, "description", None) or describe_error(error))
    made = checksums_of(target)
    return Proof(
        month=manifest.month,
        version=manifest.version,
        files=len(manifest.files),
        altered=_differing(
            manifest.files, checksums_of(version_folder(folders.published, manifest.month, manifest.version))
        ),
        inputs=tuple(inputs),
        model=altered_model,
        different=() if failure else _differing(manifest.files, made),
        failure=failure,
        same_code=same_code,
        tag=f"v{manifest.code['version']}",
    )


def _differing(expected: object, found: object) -> tuple[str, ...]:
    """Return the names whose values differ between two mappings, in order."""
    left, right = dict(expected), dict(found)  # type: ignore[call-overload]
    return tuple(name for name in sorted({*left, *right}) if left.get(name) != right.get(name))
