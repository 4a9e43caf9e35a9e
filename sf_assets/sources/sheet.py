"""Conversion of a workbook of one sheet to delimited text, one line per row of the sheet, headings included.

A cell is a text, or a number whose meaning depends on its format: 0.755 displayed as 75.5 %, or 5880596 for the company
005880596. The XML of the sheet tells which cells are numbers; DuckDB reads their values by position.
"""

import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from sf_assets.engine.errors import redact_engine_errors
from sf_assets.engine.storage.extensions import extension_file
from sf_assets.sources.description import Cell, Source
from sf_assets.vocabulary.fields import SIREN

_CHUNK = 1 << 20
# A cell that is not empty. Names may have a prefix; attributes are in any order.
_CELL = re.compile(rb'<(?:\w+:)?c(?=\s)([^>]*?\sr="([A-Z]+)([0-9]+)"[^>]*)(?<!/)>(?!</)')
_STYLE = re.compile(rb'\ss="([0-9]+)"')
_NOT_A_NUMBER = re.compile(rb'\st="(?!n")')
# The built-in formats of percentages, which have no code in the workbook; and the quoted or escaped characters of a code, in
# which a % sign does not make a percentage.
_BUILT_IN = {b"9", b"10"}
_LITERAL = re.compile(rb"&quot;.*?&quot;|\\.")
# The largest number of rows above the records: a title and names of columns.
_MAX_HEADING_ROWS = 10

# Line breaks in a cell are written `_x000D_` or as they are; `_x005F_` is an underscore that does not start such a code.
_VALUE = r"""
    replace(
        regexp_replace(
            replace({0}, '_x005F_', chr(57344)), '(\r|_x000D_)(\n|_x000A_)?|_x000A_', chr(10), 'g'
        ),
        chr(57344), '_'
    ) as {0}
"""
_ZEROS = """
    update sheet set {0} = lpad(cast(cast({0} as double) as bigint)::varchar, 9, '0')
    where rowid + 1 in (select unnest($1)) and try_cast({0} as double) between 1 and 999999999
        and cast({0} as double) = trunc(cast({0} as double))
"""
_PER_CENT = """
    update sheet set {0} = round(cast({0} as double) * 100, 9)::varchar
    where rowid + 1 in (select unnest($1)) and try_cast({0} as double) is not null
"""
_FITTING = r"""
    select count(*), count(*) filter (regexp_full_match(regexp_replace({letter}, '[ \x{{00A0}}\x{{202F}}]', '', 'g'), $1))
    from sheet where {rows}
"""
# By reader, the content that a column must have, and the pattern of its texts.
_REQUIRED_CONTENT = {
    "pourcentage": ("shares in per cent", r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?%?"),
    "entier": ("whole numbers", "[+-]?[0-9]+"),
}


class BadSheet(ValueError):
    """The workbook cannot be read as declared; the message names the place, without values of cells."""


def copy_sheet(path: Path, copy: Path, source: Source) -> None:
    """Write the rows of the only (or first) sheet of a workbook to the text file `copy`, line breaks in cells as line feeds.

    When columns are declared by position, rows above the first record become empty lines, sirens stored as numbers get their
    leading zeros back, and numbers displayed as percentages are written in per cent.

    Raises:
        BadSheet: the file is not a workbook of one sheet, or a column has other content than declared on most rows.

    """
    letters = {name: _letter(place) for place, name in enumerate(source.columns, start=1)}
    companies = [letters[cell.header] for cell in source.cells if letters and _is_company(cell)]
    shares = [letters[cell.header] for cell in source.cells if letters and cell.reader == "pourcentage"]
    last, filled, numbers, per_cent = _scan_sheet(path, {*companies, *shares}, several=source.first_sheet)
    if not last:
        raise BadSheet(
            "expected a sheet with rows, found a blank one. Save it again with its rows and deliver the new file"
        )
    width = len(letters) or max(map(_place, filled))
    if extra := sorted(_place(name) for name in filled if _place(name) > width):
        raise BadSheet(f"expected {width} columns, found something in column {_letter(extra[0])} too")
    with (
        redact_engine_errors(),
        # `extension_file` verifies the extension that is loaded.
        duckdb.connect(config={"autoinstall_known_extensions": False, "allow_unsigned_extensions": True}) as connection,
    ):
        _load(connection, path, width, last)
        for letter in companies:
            connection.execute(_ZEROS.format(letter), [numbers[letter]])
        for letter in shares:
            connection.execute(_PER_CENT.format(letter), [per_cent[letter]])
        if letters:
            _empty_heading(connection, [*letters.values()], companies)
            for requirement in _requirements(source, letters):
                _require(connection, requirement)
        connection.execute(
            f"copy (select * from sheet order by rowid) to '{str(copy).replace(chr(39), chr(39) * 2)}' "
            f"(format csv, delimiter '{source.separator}', header false)"
        )


def _load(connection: duckdb.DuckDBPyConnection, path: Path, width: int, last: int) -> None:
    """Create the table `sheet` of all rows, empty ones included, with one column per letter."""
    names = [_letter(place) for place in range(1, width + 1)]
    connection.load_extension(extension_file("excel"))
    connection.execute("set variable book = $1", [str(path)])
    try:
        connection.execute(
            f"create temp table sheet as select {', '.join(map(_VALUE.format, names))} "
            f"from read_xlsx(getvariable('book'), all_varchar = true, header = false, stop_at_empty = false, "
            f"range = 'A1:{names[-1]}{last}') as cells ({', '.join(names)})"
        )
    except duckdb.Error as error:
        # DuckDB's own message may quote a cell.
        found = next(
            (meaning for part, meaning in _UNREADABLE.items() if part in str(error)), "a damaged file or another format"
        )
        raise BadSheet(f"expected a workbook, found {found}. Open it, save it again and deliver the new file") from None


# Part of DuckDB's error for an unreadable sheet, and its meaning.
_UNREADABLE = {
    "No rows found": "a blank sheet",
    "XML parse error": "XML that is not well formed",
    "too large": "a cell longer than a workbook may hold",
}


def _empty_heading(connection: duckdb.DuckDBPyConnection, letters: list[str], companies: Collection[str]) -> None:
    """Empty the rows above the first record, which is the first with five digits in the column of a siren."""
    record = " or ".join(f"regexp_matches({letter}, '[0-9]{{5}}')" for letter in companies)
    empty = ", ".join(f"{letter} = null" for letter in letters)
    connection.execute(
        f"update sheet set {empty} where rowid < $1 and rowid < (select min(rowid) from sheet where {record})",
        [_MAX_HEADING_ROWS],
    )


@dataclass(frozen=True, slots=True)
class _Requirement:
    """The pattern that a column must match, without blanks, on the rows that meet the SQL condition `rows`."""

    rows: str
    letter: str
    header: str
    expected: str
    pattern: str


def _requirements(source: Source, letters: Mapping[str, str]) -> Iterator[_Requirement]:
    record = f"concat({', '.join(letters.values())}) <> ''"
    for cell in source.cells:
        letter = letters[cell.header]
        filled = record if cell.column == source.key else f"trim({letter}) <> ''"
        if _is_company(cell):
            yield _Requirement(filled, letter, cell.header, "sirens of nine digits", SIREN)
        elif cell.reader in _REQUIRED_CONTENT:
            yield _Requirement(filled, letter, cell.header, *_REQUIRED_CONTENT[cell.reader])


def _require(connection: duckdb.DuckDBPyConnection, requirement: _Requirement) -> None:
    """Refuse a sheet whose column has other content on most rows: a column is missing or has been moved."""
    found = connection.execute(
        _FITTING.format(letter=requirement.letter, rows=requirement.rows), [requirement.pattern]
    ).fetchall()
    ((total, right),) = found
    if 2 * right < total:
        raise BadSheet(
            f"expected {requirement.expected} in column {requirement.letter} ({requirement.header}), found {right} on {total} "
            "rows: is a column missing, or moved?"
        )


def _is_company(cell: Cell) -> bool:
    return (cell.column or "").startswith("siren")


def _scan_sheet(
    path: Path, wanted: Collection[str], *, several: bool
) -> tuple[int, set[str], dict[str, list[int]], dict[str, list[int]]]:
    """Return the last row, the columns that are not empty and, by wanted column, the rows of numbers and of percentages."""
    last, filled = 0, set[str]()
    numbers: dict[str, list[int]] = {letter: [] for letter in wanted}
    per_cent: dict[str, list[int]] = {letter: [] for letter in wanted}
    try:
        with zipfile.ZipFile(path) as book:
            sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml")]
            if len(sheets) != 1 and not (several and sheets):
                raise BadSheet(f"expected one sheet, found {len(sheets)}")
            styles = _shares(book.read("xl/styles.xml")) if "xl/styles.xml" in book.namelist() else set()
            with book.open(min(sheets)) as sheet:
                for attributes, name, row in _cells(sheet):
                    letter, last = name.decode(), max(last, int(row))
                    filled.add(letter)
                    if letter in numbers and not _NOT_A_NUMBER.search(attributes):
                        numbers[letter].append(int(row))
                        style = _STYLE.search(attributes)
                        if style and int(style[1]) in styles:
                            per_cent[letter].append(int(row))
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise BadSheet("expected a workbook, found a damaged file or another format") from None
    return last, filled, numbers, per_cent


def _cells(sheet: IO[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the attributes, column and row of every cell that is not empty."""
    rest = b""
    while chunk := sheet.read(_CHUNK):
        text = rest + chunk
        # A tag may continue in the next chunk.
        end = max(text.rfind(b"<"), 0)
        yield from _CELL.findall(text[:end])
        rest = text[end:]


def _shares(styles: bytes) -> set[int]:
    """Return the numbers of the styles that display a value as a percentage."""
    codes = re.findall(rb'numFmtId="([0-9]+)"\s+formatCode="([^"]*)"', styles)
    percentages = {number for number, code in codes if b"%" in _LITERAL.sub(b"", code)} | _BUILT_IN
    used = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    formats = re.findall(rb"<(?:\w+:)?xf\b[^>]*>", used[0]) if used else []
    ids = [re.search(rb'numFmtId="([0-9]+)"', tag) for tag in formats]
    return {place for place, found in enumerate(ids) if found and found[1] in percentages}


def _letter(place: int) -> str:
    """Return the name of a column of a sheet.

    >>> _letter(1), _letter(26), _letter(28)
    ('A', 'Z', 'AB')
    """
    before, last = divmod(place - 1, 26)
    return (_letter(before) if before else "") + chr(ord("A") + last)


def _place(letters: str) -> int:
    """Return the place of a column from its name.

    >>> _place("A"), _place("AB")
    (1, 28)
    """
    place = 0
    for letter in letters:
        place = 26 * place + ord(letter) - ord("A") + 1
    return place
