"""The act of publishing: every gate open, files written and frozen, a manifest, a row of `list_publication`."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sf_assets.engine.quality.freshness import inputs_of
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Session, Write, frame_of
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import freeze_folder, replace_folder
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.lists.tables import EXPORT
from sf_assets.publication.changes import CAME, LEFT, MOVED, Changes
from sf_assets.publication.inputs import input_digests, model_facts
from sf_assets.publication.manifest import MANIFEST, Manifest, checksums_of, code_in_use, read_manifest
from sf_assets.publication.sharing import share_reads
from sf_assets.publication.tables import PUBLICATION
from sf_assets.publication.versions import published_versions
from sf_assets.publication.writing import GATED, Order, Written, write_publication
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.version import VERSION

# Files that print what « Lisez-moi » says, version and acceptances included.
_PRINTED = (".xlsx", ".html")
_EXPORTED = """
    select version, file, sha256 from list_export where version = (select max(version) from list_export)
"""


@dataclass(frozen=True, slots=True)
class Publication:
    """A version that was published: its folder, its manifest, and the write of its row."""

    folder: Path
    manifest: Manifest
    write: Write


def version_folder(published: Shelf, month: date, version: int, *, afresh: bool = False) -> Path:
    """Return the folder of a published version below the folder of all of them; `afresh`, as it is in a store now."""
    return published.of(month, afresh=afresh) / batch_key(month) / f"v{version}"


def publish(
    session: Session,
    gate: Gate,
    month: date,
    folders: Folders,
    parameters: Parameters,
    *,
    by: str,
    reason: str,
    at: datetime,
) -> Publication:
    """Publish the month's list as its next version.

    The version gets a folder that nothing writes to again. A process that is killed leaves no published version: the row of
    `list_publication` is the last thing written, and the next publication replaces a folder that has no row. `at` has a
    time zone.

    Raises:
        Blocked: a check of the month, or of what its list is made from, did not pass and was not accepted.
        PermanentFailure: the name or the reason is empty, the files handed over are not those that the warehouse gives,
            or nothing changed since the last published version.

    """
    place = f"publication of {month:%Y-%m}"
    if not by.strip() or not reason.strip():
        raise PermanentFailure(f"{place}: expected a name and a reason, found {by!r} and {reason!r}. State both.")
    gate.require(session, [*((name, month) for name in GATED), *share_reads(session, gate, month)])
    # The gate of the list covers what it was made from; here also what the month delivered and stored besides.
    every = [read for read in inputs_of(session, [(EXPORT.name, month)]) if read[1] == month and read[0] in gate.suites]
    gate.check(session, every)
    with session.reading() as snapshot:
        pass
    before = published_versions(session, month)
    order = Order(month, len(before) + 1, reason.strip(), parameters, folders.models)
    target = version_folder(folders.published, month, order.version)
    with ExitStack() as stack:
        draft = stack.enter_context(replace_folder(target))
        draft.chmod(0o700)
        written = write_publication(session, gate, order, draft)
        export_version = _require_as_handed_over(session, month, draft)
        files = checksums_of(draft)
        if before:
            former = read_manifest(version_folder(folders.published, month, len(before)), before[-1].manifest)
            _require_changed(place, former, files)
        manifest = Manifest(
            month=month,
            version=order.version,
            published_by=by.strip(),
            published_at=at.astimezone(UTC).isoformat(timespec="seconds"),
            reason=order.reason,
            snapshot=snapshot,
            list_version=written.made.version,
            export_version=export_version,
            scores_version=written.made.selected.scores_version,
            code=code_in_use(),
            settings=parameters.model_dump(mode="json"),
            model=model_facts(written.made, folders.models),
            inputs=input_digests(session, written.reads),
            acceptances=tuple(asdict(one) for one in written.acceptances),
            changes=_counts(written.changes),
            recipients=written.recipients,
            files=files,
        )
        (draft / MANIFEST).write_text(manifest.to_json(), encoding="utf-8", newline="\n")
    folders.published.share(month)
    write = _record(session, manifest, written, at, sha256_of(target / MANIFEST))
    freeze_folder(target)
    return Publication(target, manifest, write)


def _require_as_handed_over(session: Session, month: date, folder: Path) -> int:
    """Return the version of `list_export` whose files were written again, byte by byte.

    Workbook and page are left out: since then somebody may have accepted a check of `list_export` itself, which they print.
    """
    session.bind({EXPORT: month})
    handed_over = session.connection.execute(_EXPORTED).fetchall()
    different = sorted(
        file for _, file, sha256 in handed_over if not file.endswith(_PRINTED) and sha256_of(folder / file) != sha256
    )
    if different or not handed_over:
        raise PermanentFailure(
            f"list_export, {month:%Y-%m}: expected the files that the warehouse gives today, found other bytes in "
            f"{', '.join(different) or 'no file'}. Code or settings changed since: materialise list_export again, look at its "
            "files, then publish."
        )
    return int(handed_over[0][0])


def _require_changed(place: str, former: Manifest, files: Mapping[str, Mapping[str, object]]) -> None:
    """Refuse a version whose data files are those of the last one: workbooks and pages print the version, and always differ."""
    changed = [
        name
        for name in {*former.files, *files}
        if not name.endswith(_PRINTED) and not name.startswith("changements_")
        if former.files.get(name) != files.get(name)
    ]
    if not changed:
        raise PermanentFailure(
            f"{place}: expected a list that differs from version {former.version}, published on {former.published_at[:10]}, "
            "found the same. There is nothing to correct."
        )


def _counts(changes: Changes | None) -> dict[str, int]:
    return {
        name: changes.count(change) if changes else 0
        for name, change in (("entrees", CAME), ("sorties", LEFT), ("deplacees", MOVED))
    }


def _record(session: Session, manifest: Manifest, written: Written, at: datetime, checksum: str) -> Write:
    row = {
        "version": manifest.version,
        "list_version": manifest.list_version,
        "export_version": manifest.export_version,
        "snapshot": manifest.snapshot,
        "published_by": manifest.published_by,
        "reason": manifest.reason,
        "published_at": at.astimezone(UTC).replace(tzinfo=None),
        "companies": written.made.listed.height,
        **manifest.changes,
        "recipients": sum(not recipient["lapsed"] for recipient in manifest.recipients),
        "code_version": VERSION,
        "manifest": checksum,
    }
    return session.replace(
        {PUBLICATION: frame_of(PUBLICATION, [row])},
        where={"month": manifest.month, "version": manifest.version},
        author=manifest.published_by,
        message=f"publication of {manifest.month:%Y-%m}, version {manifest.version}",
    )[PUBLICATION.name]
