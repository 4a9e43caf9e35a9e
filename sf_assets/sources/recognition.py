"""Recognition of the edition of a source from the header of a file, whatever its name."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sf_assets.engine.storage.packed import UnreadableFile, first_lines, plain_name, unpacked
from sf_assets.sources.description import Source
from sf_assets.sources.text import converted_to_text, form_of

_BOM = "\ufeff"


def recognise_edition(
    source: Source, path: Path, name: str, *, as_correction: Callable[[Source], Source] = lambda edition: edition
) -> Source:
    """Return the edition of a file: the edition whose columns it has, and of several the one that reads the most columns.

    `name` is the file name to use, and `as_correction` turns an edition into the form in which the file is written. A file
    with the name of an edition is read by that edition, unless it has all its columns and fits another edition better;
    missing columns are then a fault of the file. A file without column names is recognised by its name, otherwise by the
    number of fields of its first line.
    """
    plain = plain_name(name)
    claimed = source.edition_of(plain) if source.names_exactly(plain) or source.matches(plain) else None
    if not source.editions or (claimed and claimed.columns):
        return as_correction(claimed or source)
    editions = [as_correction(replace(edition, editions=())) for edition in (source, *source.editions)]
    best = max(editions, key=lambda edition: _fit(_columns_of(path, edition), edition))
    if claimed is None or not as_correction(claimed).missing_from(_columns_of(path, best)):
        return best
    return as_correction(claimed)


def _fit(found: tuple[str, ...], edition: Source) -> tuple[bool, int, int]:
    """Return how well columns fit an edition: all there or not, number of columns present, minus the number missing."""
    if edition.columns:
        fits = len(found) - (found[-1:] == ("",)) == len(edition.columns)
        return (fits, len(edition.columns), 0) if fits else (fits, 0, -len(edition.columns))
    lacks = len(edition.missing_from(found))
    return lacks == 0, len(edition.missing_from(())) - lacks, -lacks


def _columns_of(path: Path, edition: Source) -> tuple[str, ...]:
    """Return the cells of the first line of a file read by an edition; none when it cannot be read that way."""
    try:
        form = form_of(path)
        if form == "parquet":
            with unpacked(path) as plain:
                return tuple(pq.read_schema(plain).names)
        if form == "text":
            return _first_cells(path, edition, edition.encoding)
        with converted_to_text(path, edition) as text:
            return _first_cells(text, edition, "utf-8")
    except (UnreadableFile, UnicodeDecodeError, csv.Error, pa.ArrowException, OSError):
        return ()


def _first_cells(path: Path, edition: Source, encoding: str) -> tuple[str, ...]:
    for raw in first_lines(path):
        text = raw.decode(encoding).removeprefix(_BOM).rstrip("\r\n")
        if text:
            return tuple(next(csv.reader([text], delimiter=edition.separator)))
    return ()
