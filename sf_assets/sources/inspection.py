"""The files of a batch as they were inspected: what is read is what was judged, or nothing is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sf_assets.engine.storage import Session
from sf_assets.sources.arrival import ARRIVALS, checksum_of
from sf_assets.sources.batch import BadBatch, Batch, NoBatch, read_batch
from sf_assets.sources.nomenclatures.label_tables import TABLES as NOMENCLATURES
from sf_assets.sources.nomenclatures.label_tables import csv_path
from sf_assets.sources.nomenclatures.updates import BadNomenclature, require_sound
from sf_assets.vocabulary.failures import BadFile

_INSPECTED = "select file, sha256, records from src_arrivals where month = $month and source = $source order by file"
LABELS = {table.name: table for table in NOMENCLATURES}


def require_batch(incoming: Path, month: date) -> Batch:
    """Return the batch of a month; raise `BadFile` when there is none, or when it cannot be understood."""
    try:
        return read_batch(incoming, month)
    except BadBatch as error:
        raise BadFile(str(error)) from error


@contextmanager
def inspected_files(session: Session, batch: Batch, name: str, *, reader: str, asset: str) -> Iterator[dict[str, Path]]:
    """Give the files of a source or label table by name, provided that they are those inspected, byte for byte.

    They are to be read within the block: one that is touched meanwhile, whatever was read of it, is refused as it ends.
    `reader` is the table that asks, `asset` what inspects them again.
    """
    found = {batch.name_of(path): path for path in batch.files.get(name, ()) if path.is_file()}
    states = _states(found)
    inspected = _inspected(session, batch.month, name)
    if {file: checksum_of(path) for file, path in found.items()} != {file: sha256 for file, sha256, _ in inspected}:
        raise BadFile(
            f"{reader}, {batch.month:%Y-%m}: expected {_named(file for file, *_ in inspected)} as inspected on "
            f"arrival, found {_named(found)}, changed since. Materialise {asset} again."
        )
    try:
        yield found
    finally:
        if _states(found) != states:
            raise BadFile(
                f"{reader}, {batch.month:%Y-%m}: expected {_named(found)} to stay as inspected on arrival, found a change "
                f"while they were read. Materialise {asset} again."
            )


def counted_records(session: Session, batch: Batch, name: str, *, asset: str) -> dict[str, int]:
    """Return how many records each file of a source holds, as counted on arrival.

    Raises:
        BadFile: a file was inspected by a version that did not count; `asset` inspects it again.

    """
    counted = {file: records for file, _, records in _inspected(session, batch.month, name)}
    if uncounted := [file for file, records in counted.items() if records is None]:
        raise BadFile(
            f"{asset}, {batch.month:%Y-%m}: expected the number of records of {_named(uncounted)} as counted on arrival, "
            f"found none. Materialise {asset} again."
        )
    return counted


def _inspected(session: Session, month: date, name: str) -> list[tuple[str, str, int]]:
    # The first arrival since an upgrade makes the columns that older ones lack.
    session.bind({ARRIVALS: None})
    return session.connection.execute(_INSPECTED, {"month": month, "source": name}).fetchall()


def _states(found: Mapping[str, Path]) -> list[tuple[int, ...]]:
    """Return what changes when a file is written to or replaced, by whatever name; nothing of a file that is gone."""
    stats = [path.stat() for path in found.values() if path.is_file()]
    return [(one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for one in stats]


def _named(names: Iterable[str]) -> str:
    return ", ".join(names) or "no file"


def delivered_label_tables(session: Session, incoming: Path, month: date, names: Sequence[str]) -> dict[str, list[Path]]:
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
        with inspected_files(session, batch, name, reader=name, asset="any source of the month") as found:
            if found:
                given[name] = [*found.values()]
                if fault := label_table_fault(given[name], name):
                    raise BadFile(fault)
    return given


def label_table_fault(paths: Sequence[Path], name: str) -> str | None:
    """Say why files cannot take the place of the packaged label table `name`; None when they can."""
    try:
        require_sound(LABELS[name], paths, csv_path(name))
    except BadNomenclature as error:
        return str(error)
    return None
