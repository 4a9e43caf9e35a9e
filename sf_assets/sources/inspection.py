"""Access to inspected files: a file is read only while it is, byte for byte, the file that passed inspection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sf_assets.engine.storage import Session
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.sources.batch import BadBatch, Batch, NoBatch, read_batch
from sf_assets.sources.nomenclatures.label_tables import TABLES as NOMENCLATURES
from sf_assets.sources.nomenclatures.label_tables import csv_path
from sf_assets.sources.nomenclatures.updates import BadNomenclature, require_valid
from sf_assets.vocabulary.failures import BadFile
from sf_assets.vocabulary.modes import FULL, Mode

_INSPECTED = "select file, sha256, records from src_arrivals where month = $month and source = $source order by file"
LABELS = {table.name: table for table in NOMENCLATURES}


def require_batch(incoming: Path, month: date, mode: Mode = FULL) -> Batch:
    """Return the batch of a month, with the files that a mode reads.

    Raises:
        BadFile: the month has no batch, or its description or a correction is wrong.

    """
    try:
        return read_batch(incoming, month, mode)
    except BadBatch as error:
        raise BadFile(str(error)) from error


class InspectedFiles(dict[str, Path]):
    """The files of a source by name, in the state in which their checksums were those of the inspection."""

    def __init__(self, files: Mapping[str, Path], fault: str) -> None:
        super().__init__(files)
        self._states = _states(files)
        self._fault = fault

    def require_unchanged(self) -> None:
        """Refuse files that were written or replaced since.

        Raises:
            BadFile: a file changed.

        """
        if _states(self) != self._states:
            raise BadFile(self._fault)


@contextmanager
def inspected_files(session: Session, batch: Batch, name: str, *, reader: str, asset: str) -> Iterator[InspectedFiles]:
    """Yield the files of a source or label table by name, after a comparison of their checksums with the inspection.

    Read the files within the block: at its end, a change of any file during the block is refused. Rows that are written
    within the block are verified before they are committed (`InspectedFiles.require_unchanged`). `reader` is the table that
    reads them and `asset` the asset that inspects them again; both are named in messages.

    Raises:
        BadFile: a file changed since its inspection, or during the block.

    """
    found = {batch.name_of(path): path for path in batch.files.get(name, ()) if path.is_file()}
    files = InspectedFiles(
        found,
        f"{reader}, {batch.month:%Y-%m}: expected {_list_names(found)} to stay as inspected on arrival, found a change "
        f"while they were read. Materialise {asset} again.",
    )
    inspected = _inspected(session, batch.month, name)
    if {file: sha256_of(path) for file, path in files.items()} != {file: sha256 for file, sha256, _ in inspected}:
        raise BadFile(
            f"{reader}, {batch.month:%Y-%m}: expected {_list_names(file for file, *_ in inspected)} as inspected on "
            f"arrival, found {_list_names(files)}, changed since. Materialise {asset} again."
        )
    try:
        yield files
    finally:
        files.require_unchanged()


def counted_records(session: Session, batch: Batch, name: str, *, asset: str) -> dict[str, int]:
    """Return the number of records of each file of a source, as counted on arrival.

    Raises:
        BadFile: a file was inspected by an older version, which did not count records; `asset` inspects it again.

    """
    counted = {file: records for file, _, records in _inspected(session, batch.month, name)}
    if uncounted := [file for file, records in counted.items() if records is None]:
        raise BadFile(
            f"{asset}, {batch.month:%Y-%m}: expected the number of records of {_list_names(uncounted)} as counted on arrival, "
            f"found none. Materialise {asset} again."
        )
    return counted


def _inspected(session: Session, month: date, name: str) -> list[tuple[str, str, int]]:
    # A warehouse written by an older version may lack a column: through `bind` it reads as NULL.
    session.bind({ARRIVALS: None})
    return session.connection.execute(_INSPECTED, {"month": month, "source": name}).fetchall()


def _states(files: Mapping[str, Path]) -> list[tuple[int, ...]]:
    """Return the attributes that change when a file is written or replaced; a file that has disappeared has none."""
    stats = [path.stat() for path in files.values() if path.is_file()]
    return [(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for stat in stats]


def _list_names(names: Iterable[str]) -> str:
    return ", ".join(names) or "no file"


def delivered_label_tables(
    session: Session, incoming: Path, month: date, names: Sequence[str]
) -> dict[str, list[Path]]:
    """Return the delivered files that replace packaged label tables in a month, for the tables in `names`.

    Raises:
        BadFile: a file changed since its inspection, or is not a valid label table.

    """
    if not names or not session.months("src_arrivals"):
        return {}
    try:
        batch = read_batch(incoming, month)
    except NoBatch:
        batch = Batch(month, incoming, {}, ())
    except BadBatch as error:
        raise BadFile(str(error)) from error
    updates = {}
    for name in names:
        with inspected_files(session, batch, name, reader=name, asset="any source of the month") as delivered:
            if delivered:
                updates[name] = [*delivered.values()]
                if fault := label_table_fault(updates[name], name):
                    raise BadFile(fault)
    return updates


def label_table_fault(paths: Sequence[Path], name: str) -> str | None:
    """Return the reason why files cannot replace the packaged label table `name`; None when they can."""
    try:
        require_valid(LABELS[name], paths, csv_path(name))
    except BadNomenclature as error:
        return str(error)
    return None
