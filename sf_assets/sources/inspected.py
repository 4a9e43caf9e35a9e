"""The files of a batch as they were inspected: what is read is what was judged, or nothing is."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from sf_assets.failures import BadFile
from sf_assets.nomenclatures import TABLES as NOMENCLATURES
from sf_assets.nomenclatures import csv_path
from sf_assets.nomenclatures.updates import BadNomenclature, require_sound
from sf_assets.sources.batch import BadBatch, Batch, NoBatch, read_batch
from sf_assets.storage import Session

_INSPECTED = (
    "select file, bytes, delivered_at from lake.src_arrivals where month = $month and source = $source order by file"
)
LABELS = {table.name: table for table in NOMENCLATURES}


def batch_of(incoming: Path, month: date) -> Batch:
    """Return the batch of a month; raise `BadFile` when there is none, or when it cannot be understood."""
    try:
        return read_batch(incoming, month)
    except BadBatch as error:
        raise BadFile(str(error)) from error


def files_of(session: Session, batch: Batch, name: str, *, reader: str, asset: str) -> dict[str, Path]:
    """Return the files of a source or label table by name, provided they are those that were inspected.

    `reader` is the table that asks, `asset` what inspects them again.
    """
    found = {batch.name_of(path): path for path in batch.files.get(name, ()) if path.is_file()}
    values = {"month": batch.month, "source": name}
    inspected = session.connection.execute(_INSPECTED, values).fetchall()
    if [(file, *_state(path)) for file, path in sorted(found.items())] != inspected:
        raise BadFile(
            f"{reader}, {batch.month:%Y-%m}: expected {_named(file for file, *_ in inspected)} as inspected on "
            f"arrival, found {_named(found)}, changed since. Materialise {asset} again."
        )
    return found


def _state(path: Path) -> tuple[int, datetime]:
    stat = path.stat()
    return stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None, microsecond=0)


def _named(names: Iterable[str]) -> str:
    return ", ".join(names) or "no file"


def labels_of(session: Session, incoming: Path, month: date, names: Sequence[str]) -> dict[str, list[Path]]:
    """Return the files that take the place of packaged label tables in a month, among those named.

    Raises:
        BadFile: a file changed since its inspection, or files are not what they should be.

    """
    if not names or not session.months("src_arrivals"):
        return {}
    try:
        batch = read_batch(incoming, month)
    except NoBatch:
        batch = Batch(month, incoming, {}, ())
    except BadBatch as error:
        raise BadFile(str(error)) from error
    given = {}
    for name in names:
        found = files_of(session, batch, name, reader=name, asset="any source of the month")
        if found:
            given[name] = [*found.values()]
            if fault := fault_of(given[name], name):
                raise BadFile(fault)
    return given


def fault_of(paths: Sequence[Path], name: str) -> str | None:
    """Say why files cannot take the place of the packaged label table `name`; None when they can."""
    try:
        require_sound(LABELS[name], paths, csv_path(name))
    except BadNomenclature as error:
        return str(error)
    return None
