"""Every file as UTF-8 text, whatever it was delivered in: the one form that is inspected and read."""

import codecs
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Literal

import duckdb

from sf_assets.engine_errors import without_values
from sf_assets.sources.description import Source
from sf_assets.storage.extensions import extension_file
from sf_assets.storage.packed import (
    PACKED,
    Refused,
    chunks,
    open_bytes,
    plain_name,
    refusing_damage,
    require_bounded,
    unpacked,
)
from sf_assets.storage.scratch import scratch_folder

_UTF8 = "utf-8"
_PARQUET, _ZIP = b"PAR1", b"PK\x03\x04"
_SIGNED = 64  # bytes that show the form of a file


Form = Literal["text", "parquet", "workbook", "records"]
_BY_SUFFIX: dict[str, Form] = {
    ".csv": "text",
    ".txt": "text",
    ".parquet": "parquet",
    ".xlsx": "workbook",
    ".json": "records",
}


def form_of(path: Path) -> Form:
    """Return the form of a file: the one that its name promises, otherwise the one that its first bytes show."""
    promised = _BY_SUFFIX.get(Path(plain_name(path.name)).suffix)
    if promised:
        return promised
    with refusing_damage(path), open_bytes(path) as stream:
        first = stream.read(_SIGNED)
    if first.startswith(_PARQUET):
        return "parquet"
    if first.startswith(_ZIP):
        return "workbook"
    return "records" if first.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{") else "text"


@contextmanager
def as_text(path: Path, source: Source) -> Iterator[Path]:
    """Give the file itself when it is UTF-8 text or Parquet, otherwise a copy in UTF-8 that lasts as long as the block.

    A sheet becomes semicolon-separated text, one line per row; so do records in JSON, with the declared columns. Raises
    `Refused` when the content does not decode.
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
    """Tell whether a file that is not packed is Parquet, or promises to be."""
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
                raise Refused(f"{path.name}, after line {lines}: expected {encoding}, found bytes 0x{found}") from None
            lines += text.count("\n")
            out.write(text)


def _copy_sheet(path: Path, copy: Path, source: Source) -> None:
    try:
        with zipfile.ZipFile(path) as book:
            sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
    except zipfile.BadZipFile:
        raise Refused(f"{path.name}: expected a workbook, found a damaged or other file") from None
    if len(sheets) != 1:
        raise Refused(f"{path.name}: expected one sheet, found {len(sheets)}")
    require_bounded(path)
    with without_values(), duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        connection.load_extension(extension_file("excel"))
        connection.execute("set variable book = $1", [str(path)])
        try:
            connection.execute(
                f"copy (from read_xlsx(getvariable('book'), all_varchar = true, header = false, stop_at_empty = false)) "
                f"to '{str(copy).replace(chr(39), chr(39) * 2)}' (format csv, delimiter '{source.separator}', header false)"
            )
        except duckdb.Error as error:
            # The engine's own message may show a cell.
            found = next((said for part, said in _BAD_SHEETS.items() if part in str(error)), "one that cannot be read")
            raise Refused(
                f"{path.name}: expected a sheet with rows, found {found}. Open it, save it again and deliver that"
            ) from None


# What the engine says of a sheet it cannot read, and what is told of it.
_BAD_SHEETS = {
    "No rows found": "a blank one",
    "XML parse error": "XML that is not well formed",
    "too large": "a cell longer than a workbook may hold",
}


# A list of records, or a page of an API that holds one under `results`.
_RECORDS = """
    select {columns}
    from (
        select json as record from read_json_objects(getvariable('file'), format = 'array')
        where getvariable('opening') = '['
        union all
        select unnest(json_extract(json, '$.results[*]')) as record
        from read_json_objects(getvariable('file'), format = 'unstructured')
        where getvariable('opening') = '{{'
    ) as records
"""


def _copy_records(path: Path, copy: Path, source: Source) -> None:
    names = dict.fromkeys(cell.header for cell in source.cells)
    columns = ", ".join(f"json_extract_string(record, '$.{name}') as \"{name}\"" for name in names)
    refused = Refused(f"{path.name}: expected a list of records in JSON, found a damaged or other file")
    opening = next(chunks(path), b"").lstrip()[:1].decode("ascii", "replace")
    if opening not in ("[", "{"):
        raise refused
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        connection.execute("set variable file = $1", [str(path)])
        connection.execute("set variable opening = $1", [opening])
        try:
            connection.execute(
                f"copy ({_RECORDS.format(columns=columns)}) "
                f"to '{str(copy).replace(chr(39), chr(39) * 2)}' (format csv, delimiter '{source.separator}', header)"
            )
        except duckdb.Error:
            # The engine's own message would show the record.
            raise refused from None


__all__ = ["Refused", "as_text", "chunks", "form_of", "is_parquet", "open_bytes"]
