"""Quarantined records: counted, exported to be corrected, read again.

`list` counts, without identifiers. `export` writes the refused records of a source below `quarantine/<AAMM>/`, in files to
be edited. `replay` takes those that were changed into the month's folder `corrections`; records left as they were, or put
back to it, stay refused. Done twice, it changes nothing.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.folders import private
from sf_assets.sources.arrival import read_columns
from sf_assets.sources.batch import Batch, batch_key, read_batch
from sf_assets.sources.description import Source
from sf_assets.sources.mended import CORRECTIONS, LINE, correction_of, edition_of
from sf_assets.sources.registry import BY_NAME
from sf_assets.sources.text import as_text
from sf_assets.vocabulary.failures import UserError

_BOM = "\ufeff"
_COUNTS = """
    select source, level, "column", expected, count(*) as refused, count(corrected_by) as corrected
    from lake.stg_quarantine
    where month = $month and source = coalesce($source, source)
    group by all
    order by source, refused desc, "column"
"""
_REFUSED = """
    select line, any_value(raw) as raw from lake.stg_quarantine
    where month = $month and source = $source and file = $file
    group by line order by line
"""


class CannotCorrect(UserError):
    """The records cannot be taken out, or read again; the message says what is wrong and where."""


def counts(warehouse: Warehouse, month: date, source: str | None = None) -> Iterator[str]:
    """Yield one line of text per source, rule and column of a month, without what records hold."""
    rows = warehouse.query(_COUNTS, {"month": month, "source": source})
    yield f"{'source':<24}{'refused':>8}{'mended':>8}  what"
    for name, level, column, expected, refused, corrected in rows.iter_rows():
        yield f"{name:<24}{refused:>8}{corrected:>8}  {level}: {column or 'record'}, {expected}"


def export(warehouse: Warehouse, batch: Batch, source: Source, folder: Path) -> list[Path]:
    """Write the refused records of each file of a source to be edited, with the number of their line; return the files.

    Records that were mended before are as they were mended. A file that was edited since its last replay is not touched.
    """
    written = []
    for path in _originals(batch, source):
        refused = _refused(warehouse, batch, source, path)
        if not refused:
            continue
        header, separator = _header(path, source)
        correction = _correction_of(batch, path)
        mended = _records(correction, header, separator) if correction.is_file() else {}
        work = folder / correction.name
        if work.is_file() and _changed(_records(work, header, separator), refused) not in ({}, mended):
            raise CannotCorrect(
                f"{work}: expected no change since its last replay, found some. Replay it, or take it away."
            )
        _write(work, header, refused | mended, separator)
        written.append(work)
    return written


def replay(warehouse: Warehouse, batch: Batch, source: Source, folder: Path) -> dict[Path, int]:
    """Take the records that were mended into the month's corrections; return how many each file of them holds.

    A record put back to what was delivered, or taken out of the edited file, is withdrawn from the corrections; a file
    of corrections without any record left goes away.

    Raises:
        CannotCorrect: a file has other columns than its original, or a line that was not refused.

    """
    taken = {}
    for path in _originals(batch, source):
        correction = _correction_of(batch, path)
        work = folder / correction.name
        if not work.is_file():
            continue
        header, separator = _header(path, source)
        refused = _refused(warehouse, batch, source, path)
        edited = _records(work, header, separator)
        if strangers := sorted(edited.keys() - refused.keys()):
            raise CannotCorrect(f"{work}: expected lines of {path.name} that were refused, found line {strangers[0]}")
        changed = _changed(edited, refused)
        former = _records(correction, header, separator) if correction.is_file() else {}
        if changed and changed != former:
            _write(correction, header, changed, separator)
        elif not changed:
            correction.unlink(missing_ok=True)
        taken[correction] = len(changed)
    return taken


def _originals(batch: Batch, source: Source) -> list[Path]:
    mending = batch.corrections(source.name)
    return [path for path in batch.files.get(source.name, ()) if path not in mending]


def _correction_of(batch: Batch, path: Path) -> Path:
    return batch.folder / CORRECTIONS / correction_of(path.name)


def _refused(warehouse: Warehouse, batch: Batch, source: Source, path: Path) -> dict[int, str]:
    values = {"month": batch.month, "source": source.name, "file": batch.name_of(path)}
    return dict(warehouse.query(_REFUSED, values).iter_rows())


def _header(path: Path, source: Source) -> tuple[tuple[str, ...], str]:
    """Return the column names of the records of a file, preceded by that of their line, and what separates them."""
    edition = edition_of(source, path)
    with as_text(path, edition) as text:
        _, names = read_columns(text, edition)
    return (LINE.header, *names), edition.separator


def _records(path: Path, header: tuple[str, ...], separator: str) -> dict[int, str]:
    """Return the records of a file of corrections by line; a line that starts with no number continues the one before."""
    try:
        # Line ends within a record are the record's own.
        with path.open(encoding="utf-8", newline="") as stream:
            text_of_file = stream.read().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise CannotCorrect(f"{path}: expected UTF-8, found other bytes ({error.reason})") from None
    first, *lines = (text.removesuffix("\r") for text in text_of_file.split("\n"))
    if tuple(next(csv.reader([first], delimiter=separator), ())) != header:
        raise CannotCorrect(f"{path}: expected the columns of its original after {LINE.header}, found others")
    found: dict[int, str] = {}
    line = 0
    for text in lines:
        if start := re.match(rf"(\d+){re.escape(separator)}", text):
            line = int(start[1])
            if line in found:
                raise CannotCorrect(f"{path}: expected each line once, found line {line} twice")
            found[line] = text[start.end() :]
        elif text and line:
            found[line] += f"\n{text}"
    return found


def _changed(edited: Mapping[int, str], refused: Mapping[int, str]) -> dict[int, str]:
    return {line: raw for line, raw in edited.items() if raw != refused.get(line)}


def _write(path: Path, header: tuple[str, ...], records: Mapping[int, str], separator: str) -> None:
    """Write a file of corrections, whole or not at all."""
    private(path.parent)
    draft = path.with_name(f".{path.name}")
    with draft.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=separator, lineterminator="\n").writerow(header)
        out.writelines(f"{line}{separator}{raw}\n" for line, raw in sorted(records.items()))
    draft.replace(path)


def place_of(data: Path, month: date, name: str) -> tuple[Batch, Source, Path]:
    """Return the batch of a month, a source by name, and the folder in which its refused records are edited."""
    if name not in BY_NAME:
        raise UserError(f"source: expected one of {', '.join(sorted(BY_NAME))}, found {name}")
    return read_batch(data / "incoming", month), BY_NAME[name], data / "quarantine" / batch_key(month)
