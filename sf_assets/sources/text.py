"""Conversion of delivered files to UTF-8 text, the form in which files are inspected and read."""

import codecs
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Literal

import duckdb

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.packed import (
    LONGEST_RECORD,
    PACKED,
    UnreadableFile,
    chunks,
    open_bytes,
    plain_name,
    refuse_damaged_archive,
    require_bounded,
    unpacked,
)
from sf_assets.engine.storage.scratch import scratch_folder
from sf_assets.sources.description import Source
from sf_assets.sources.sheet import BadSheet, copy_sheet

_UTF8 = "utf-8"
_PARQUET, _ZIP = b"PAR1", b"PK\x03\x04"
_SIGNATURE = 64  # bytes read to recognise the form of a file


Form = Literal["text", "parquet", "workbook", "records"]
_BY_SUFFIX: dict[str, Form] = {
    ".csv": "text",
    ".txt": "text",
    ".parquet": "parquet",
    ".xlsx": "workbook",
    ".json": "records",
}


def form_of(path: Path) -> Form:
    """Return the form of a file: by the extension of its name, otherwise by its first bytes."""
    by_name = _BY_SUFFIX.get(Path(plain_name(path.name)).suffix)
    if by_name:
        return by_name
    with refuse_damaged_archive(path), open_bytes(path) as stream:
        first = stream.read(_SIGNATURE)
    if first.startswith(_PARQUET):
        return "parquet"
    if first.startswith(_ZIP):
        return "workbook"
    return "records" if first.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{") else "text"


@contextmanager
def converted_to_text(path: Path, source: Source) -> Iterator[Path]:
    """Yield the file itself when it is UTF-8 text, otherwise a temporary copy that is removed at the end of the block.

    The copy is UTF-8 text; only Parquet stays Parquet, unpacked. A sheet becomes delimited text, one line per row; so do
    records in JSON, with the declared columns.

    Raises:
        UnreadableFile: the content cannot be decoded, or is not in the form of its name.

    """
    form = form_of(path)
    if form == "text" and source.encoding == _UTF8:
        yield path
        return
    if form == "parquet":
        with unpacked(path) as plain:
            yield plain
        return
    with scratch_folder() as folder:
        copy = folder / plain_name(path.name)
        if form == "text":
            _transcode(path, copy, source.encoding)
        else:
            with unpacked(path) as plain:
                (_copy_sheet if form == "workbook" else _copy_records)(plain, copy, source)
        yield copy


def is_parquet(path: Path) -> bool:
    """Tell whether a file is unpacked Parquet, by its name or its first bytes."""
    return path.suffix not in PACKED and form_of(path) == "parquet"


def _transcode(path: Path, copy: Path, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 0
    with copy.open("w", encoding=_UTF8, newline="") as out:
        for chunk in chain(chunks(path), (b"",)):
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                found = error.object[error.start : error.start + 2].hex()
                raise UnreadableFile(
                    f"{path.name}, after line {lines}: expected {encoding}, found bytes 0x{found}"
                ) from None
            lines += text.count("\n")
            out.write(text)


def _copy_sheet(path: Path, copy: Path, source: Source) -> None:
    try:
        require_bounded(path)
        copy_sheet(path, copy, source)
    except BadSheet as error:
        raise UnreadableFile(f"{path.name}: {error}") from None


# The records of a JSON list, or of one page of an API under `results`.
_RECORDS = read_sql("sf_assets.sources", "json_records")
_PAGES = """
    select count(*), any_value(json_extract_string(json, '$.total_count')), any_value(json_type(json, '$.results'))
    from read_json_objects(getvariable('file'), format = 'unstructured')
"""
_RECORD_SHAPES = """
    select count(*) filter (json_type(record) <> 'OBJECT'), count(*), list_distinct(flatten(list(json_keys(record)))) from records
"""


# A lone carriage return, or one before a line feed, is a line feed: a text of lines may hold no other line break.
_ONE_KIND_OF_BREAK = "regexp_replace(json_extract_string(record, '$.{0}'), '\\r\\n?', chr(10), 'g') as \"{0}\""


def _copy_records(path: Path, copy: Path, source: Source) -> None:
    names = dict.fromkeys(cell.header for cell in source.cells)
    columns = ", ".join(_ONE_KIND_OF_BREAK.format(name) for name in names)
    head = next(chunks(path), b"")
    if head.startswith(codecs.BOM_UTF8):
        path = _without_mark(path, copy.with_name("unmarked.json"))
    opening = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1].decode("ascii", "replace")
    if opening not in ("[", "{"):
        raise UnreadableFile(_NO_RECORDS.format(path.name))
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        connection.execute("set variable file = $1", [str(path)])
        connection.execute("set variable opening = $1", [opening])
        try:
            if opening == "{":
                _require_page(connection, path)
            connection.execute(_RECORDS)
            _require_records(connection, path, source, opening)
            _require_lines(connection, path, columns)
            connection.execute(
                f"copy (select {columns} from records) "
                f"to '{str(copy).replace(chr(39), chr(39) * 2)}' (format csv, delimiter '{source.separator}', header)"
            )
        except duckdb.Error:
            # DuckDB's own message would quote the record.
            raise UnreadableFile(_NO_RECORDS.format(path.name)) from None


def _require_lines(connection: duckdb.DuckDBPyConnection, path: Path, columns: str) -> None:
    """Refuse a record whose texts have more line breaks than a record of a text of lines may have."""
    query = read_sql("sf_assets.sources", "long_record", columns=columns)
    long = connection.execute(query, [LONGEST_RECORD]).fetchone()
    if long:
        raise UnreadableFile(
            f"{path.name}, record {long[0]}: expected at most {LONGEST_RECORD} line breaks in its texts, found {long[1]}. "
            "Shorten the text, or take the record out and report it to the producer"
        )


def _without_mark(path: Path, copy: Path) -> Path:
    """Copy a text without its byte-order mark, with which DuckDB 1.5.5 reads no JSON."""
    with path.open("rb") as marked, copy.open("wb") as plain:
        marked.seek(len(codecs.BOM_UTF8))
        shutil.copyfileobj(marked, plain)
    return copy


_NO_RECORDS = "{}: expected a list of records in JSON, found a damaged file or another format"
_EXPORT = "Ask for the whole export, which is a list of records"


def _require_page(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a JSON object that is not one page of results, such as an error of the API or one object per line."""
    ((pages, _, results),) = connection.execute(_PAGES).fetchall()
    if pages != 1:
        raise UnreadableFile(
            f"{path.name}: expected one list of records in JSON, found {pages} objects one after the other. {_EXPORT}."
        )
    if results != "ARRAY":
        raise UnreadableFile(
            f"{path.name}: expected a list of records in JSON, found an answer without results. {_EXPORT}."
        )


def _require_records(connection: duckdb.DuckDBPyConnection, path: Path, source: Source, opening: str) -> None:
    """Refuse elements that are no JSON objects, missing declared names, and fewer records than the page states."""
    ((not_objects, records, keys),) = connection.execute(_RECORD_SHAPES).fetchall()
    if not_objects:
        raise UnreadableFile(_NO_RECORDS.format(path.name))
    missing = [cell.header for cell in source.cells if not cell.optional and cell.header not in (keys or [])]
    if records and missing:
        raise UnreadableFile(
            f"{path.name}: expected {', '.join(dict.fromkeys(missing))} in the records, found no record that has them"
        )
    if opening == "{":
        ((_, total, _),) = connection.execute(_PAGES).fetchall()
        if total != str(records):
            raise UnreadableFile(
                f"{path.name}: expected {total or 'a number of'} results (total_count), found {records}. {_EXPORT}."
            )


__all__ = ["UnreadableFile", "chunks", "converted_to_text", "form_of", "is_parquet", "open_bytes"]
