"""Quarantined records: counted, exported to be corrected, and read again.

`counts` shows no identifiers. `export` writes the refused records of a source below `quarantine/<AAMM>/`, in files to be
edited, each with the reasons of its refusals beside it. `replay` writes the changed records into the month's folder
`corrections`; records that were left unchanged, or restored, stay refused. A second replay changes nothing.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO

import polars as pl

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.sources.arrival import read_columns
from sf_assets.sources.batch import Batch, batch_key, read_batch
from sf_assets.sources.corrections import CORRECTIONS, LINE, correction_name, edition_of
from sf_assets.sources.description import Source
from sf_assets.sources.registry import BY_NAME
from sf_assets.sources.text import converted_to_text
from sf_assets.staging.tables import QUARANTINE
from sf_assets.vocabulary.failures import UserError

_BOM = "\ufeff"
_COUNTS = read_sql("sf_assets.operations", "quarantined_by_rule")
# The reasons of a file of refused records, beside it: `replay` reads the records alone.
_REASONS_SUFFIX = ".reasons.csv"
_REASONS = """
    select line, "column", expected, found, level from stg_quarantine
    where month = $month and source = $source and file = $file
    order by line, "column" nulls first, expected
"""
_REASONS_HEADER = (LINE.header, "column", "expected", "found", "refused")
_REFUSED = """
    select line, any_value(raw) as raw from stg_quarantine
    where month = $month and source = $source and file = $file
    group by line order by line
"""


class CannotCorrect(UserError):
    """The records cannot be exported or replayed; the message names the file, what was expected and what was found."""


def counts(warehouse: Warehouse, month: date, source: str | None = None) -> Iterator[str]:
    """Yield one line of text per source, rule and column of a month, without values of the records."""
    rows = _query(warehouse, _COUNTS, {"month": month, "source": source})
    if rows.is_empty():
        yield f"{month:%Y-%m}: no record{f' of {source}' if source else ''} is refused"
        return
    yield f"{'source':<24}{'refused':>8}{'corrected':>10}  rule"
    for name, level, column, expected, refused, corrected in rows.iter_rows():
        yield f"{name:<24}{refused:>8}{corrected:>10}  {level}: {column or 'record'}, {expected}"


def export(warehouse: Warehouse, batch: Batch, source: Source, folder: Path) -> list[Path]:
    """Write the refused records of each file of a source, with the numbers of their lines, to be edited; return the paths.

    A record that was corrected before appears as corrected. Beside each file is one of reasons, `reasons_of`: a row is a
    line, a column of it (none for the whole record), what was expected, what was found, and whether the record or the cell
    alone was refused.

    Raises:
        CannotCorrect: an exported file was edited since its last replay.

    """
    written = []
    for path in _originals(batch, source):
        refused = _refused(warehouse, batch, source, path)
        if not refused:
            continue
        header, separator = _header(path, source)
        correction = _correction_of(batch, path)
        corrected = _records(correction, header, separator) if correction.is_file() else {}
        work = folder / correction.name
        if work.is_file() and _changed(_records(work, header, separator), refused) not in ({}, corrected):
            raise CannotCorrect(
                f"{work}: expected no change since its last replay, found some. Replay it, or remove it."
            )
        _write(work, header, refused | corrected, separator)
        _write_reasons(reasons_of(work), _reasons(warehouse, batch, source, path), separator)
        written.append(work)
    return written


def reasons_of(work: Path) -> Path:
    """Return the file of the reasons of a file of refused records.

    >>> reasons_of(Path("sigfaible_debits.csv")).name
    'sigfaible_debits.reasons.csv'
    """
    return work.with_name(work.name.removesuffix(".csv") + _REASONS_SUFFIX)


def replay(warehouse: Warehouse, batch: Batch, source: Source, folder: Path) -> dict[Path, int]:
    """Write the changed records into the month's corrections; return the number of records of each file of corrections.

    The correction of a record that was restored, or removed from the edited file, is withdrawn; a file of corrections
    without a record is removed.

    Raises:
        CannotCorrect: a file has other columns than its original, or a line that was not refused.

    """
    replayed = {}
    for path in _originals(batch, source):
        correction = _correction_of(batch, path)
        work = folder / correction.name
        if not work.is_file():
            continue
        header, separator = _header(path, source)
        refused = _refused(warehouse, batch, source, path)
        edited = _records(work, header, separator)
        if unknown := sorted(edited.keys() - refused.keys()):
            raise CannotCorrect(f"{work}: expected lines of {path.name} that were refused, found line {unknown[0]}")
        changed = _changed(edited, refused)
        former = _records(correction, header, separator) if correction.is_file() else {}
        if changed and changed != former:
            _write(correction, header, changed, separator)
        elif not changed:
            correction.unlink(missing_ok=True)
        replayed[correction] = len(changed)
    return replayed


def _query(warehouse: Warehouse, query: str, values: Mapping[str, object]) -> pl.DataFrame:
    """Return the rows of a query that reads the quarantine, which is empty before the first batch is loaded."""
    with warehouse.session() as session:
        session.bind({QUARANTINE: None})
        return session.connection.execute(query, dict(values)).pl()


def _originals(batch: Batch, source: Source) -> list[Path]:
    corrections = batch.corrections(source.name)
    return [path for path in batch.files.get(source.name, ()) if path not in corrections]


def _correction_of(batch: Batch, path: Path) -> Path:
    return batch.folder / CORRECTIONS / correction_name(path.name)


def _refused(warehouse: Warehouse, batch: Batch, source: Source, path: Path) -> dict[int, str]:
    values = {"month": batch.month, "source": source.name, "file": batch.name_of(path)}
    refused = dict(_query(warehouse, _REFUSED, values).iter_rows())
    if None in refused.values():
        raise CannotCorrect(
            f"{batch.name_of(path)}: expected the refused records as delivered, found none: columns of {source.table} are "
            "dropped, so that raw lines are not stored. Correct the file itself."
        )
    return refused


def _reasons(warehouse: Warehouse, batch: Batch, source: Source, path: Path) -> Iterator[tuple[object, ...]]:
    values = {"month": batch.month, "source": source.name, "file": batch.name_of(path)}
    return _query(warehouse, _REASONS, values).iter_rows()


def _header(path: Path, source: Source) -> tuple[tuple[str, ...], str]:
    """Return the names of the columns of a file, preceded by the name of the line number, and the separator."""
    edition = edition_of(source, path)
    with converted_to_text(path, edition) as text:
        _, names = read_columns(text, edition)
    return (LINE.header, *names), edition.separator


def _records(path: Path, header: tuple[str, ...], separator: str) -> dict[int, str]:
    """Return the records of a file of corrections by line number; text without a number continues the record before it."""
    try:
        # Line ends inside a record belong to the record.
        with path.open(encoding="utf-8", newline="") as stream:
            text_of_file = stream.read().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise CannotCorrect(f"{path}: expected UTF-8, found other bytes ({error.reason})") from None
    first, *lines = (text.removesuffix("\r") for text in text_of_file.split("\n"))
    if tuple(next(csv.reader([first], delimiter=separator), ())) != header:
        raise CannotCorrect(f"{path}: expected the columns of its original after {LINE.header}, found others")
    records: dict[int, str] = {}
    line = 0
    for text in lines:
        if start := re.match(rf"(\d+){re.escape(separator)}", text):
            line = int(start[1])
            if line in records:
                raise CannotCorrect(f"{path}: expected each line once, found line {line} twice")
            records[line] = text[start.end() :]
        elif text and line:
            records[line] += f"\n{text}"
    return records


def _changed(edited: Mapping[int, str], refused: Mapping[int, str]) -> dict[int, str]:
    return {line: raw for line, raw in edited.items() if raw != refused.get(line)}


def _write(path: Path, header: tuple[str, ...], records: Mapping[int, str], separator: str) -> None:
    """Write a file of corrections."""
    with _written(path) as out:
        csv.writer(out, delimiter=separator, lineterminator="\n").writerow(header)
        out.writelines(f"{line}{separator}{raw}\n" for line, raw in sorted(records.items()))


def _write_reasons(path: Path, reasons: Iterable[tuple[object, ...]], separator: str) -> None:
    """Write a file of reasons."""
    with _written(path) as out:
        rows = csv.writer(out, delimiter=separator, lineterminator="\n")
        rows.writerow(_REASONS_HEADER)
        rows.writerows(reasons)


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """Open a file to be written, and put it into its place at once when the block ends."""
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}")
    with draft.open("w", encoding="utf-8", newline="") as out:
        yield out
    draft.replace(path)


def place_of(incoming: Path, exported: Path, month: date, name: str) -> tuple[Batch, Source, Path]:
    """Return the batch of a month below `incoming`, a source by name, and the folder of its records below `exported`.

    Raises:
        UserError: there is no such source, or the batch cannot be read.

    """
    if name not in BY_NAME:
        raise UserError(f"source: expected one of {', '.join(sorted(BY_NAME))}, found {name}")
    return read_batch(incoming, month), BY_NAME[name], exported / batch_key(month)
