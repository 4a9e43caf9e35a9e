"""A workbook of one sheet as delimited text: one line per row of the sheet, whatever stands above the records.

A cell is text, or a number whose meaning is in its format: 0.755 shown as 75.5 %, or 5880596 for the company 005880596. Which
cells are so is looked up in the sheet itself; their values are read by the engine, by position.
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
# A cell that holds something. Names may have a prefix, attributes come in any order.
_CELL = re.compile(rb'<(?:\w+:)?c(?=\s)([^>]*?\sr="([A-Z]+)([0-9]+)"[^>]*)(?<!/)>(?!</)')
_STYLE = re.compile(rb'\ss="([0-9]+)"')
_NO_NUMBER = re.compile(rb'\st="(?!n")')
# Formats that have no code in the workbook, and what of a code is no sign of a share: quoted or escaped characters.
_BUILT_IN = {b"9", b"10"}
_LITERAL = re.compile(rb"&quot;.*?&quot;|\\.")
# Above the records there may be a title and names of columns, and no more.
_HEADING = 10

# Breaks of lines as the format writes them (`_x000D_`) or as they are; an underscore that could be taken for one is `_x005F_`.
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
# By reader, what a column promises and the texts it takes.
_PROMISED = {
    "pourcentage": ("shares in per cent", r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?%?"),
    "entier": ("whole numbers", "[+-]?[0-9]+"),
}


class BadSheet(ValueError):
    """The workbook is not as promised; the message says where, without what it holds."""


def copy_sheet(path: Path, copy: Path, source: Source) -> None:
    """Write the rows of the only sheet of a workbook as text, breaks within cells as line feeds.

    Where columns are declared by position, rows above the first record become empty lines, numbers of companies get their
    zeros back, and shares shown in per cent are in per cent.

    Raises:
        BadSheet: there is no workbook of one sheet, or most rows do not hold what the columns promise.

    """
    letters = {name: _letter(place) for place, name in enumerate(source.columns, start=1)}
    companies = [letters[cell.header] for cell in source.cells if letters and _is_company(cell)]
    shares = [letters[cell.header] for cell in source.cells if letters and cell.reader == "pourcentage"]
    last, filled, numbers, per_cent = _look_up(path, {*companies, *shares})
    if not last:
        raise BadSheet("expected a sheet with rows, found a blank one. Save it again with its rows and deliver that")
    width = len(letters) or max(map(_place, filled))
    if beyond := sorted(_place(name) for name in filled if _place(name) > width):
        raise BadSheet(f"expected {width} columns, found something in column {_letter(beyond[0])} too")
    with redact_engine_errors(), duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        _load(connection, path, width, last)
        for letter in companies:
            connection.execute(_ZEROS.format(letter), [numbers[letter]])
        for letter in shares:
            connection.execute(_PER_CENT.format(letter), [per_cent[letter]])
        if letters:
            _empty_heading(connection, [*letters.values()], companies)
            for promise in _promises(source, letters):
                _require(connection, promise)
        connection.execute(
            f"copy (select * from sheet order by rowid) to '{str(copy).replace(chr(39), chr(39) * 2)}' "
            f"(format csv, delimiter '{source.separator}', header false)"
        )


def _load(connection: duckdb.DuckDBPyConnection, path: Path, width: int, last: int) -> None:
    """Make the table `sheet` of the rows from the first to the last, one column per letter, empty rows included."""
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
        # The engine's own message may show what a cell holds.
        found = next(
            (meaning for part, meaning in _UNREADABLE.items() if part in str(error)), "a damaged or other file"
        )
        raise BadSheet(f"expected a workbook, found {found}. Open it, save it again and deliver that") from None


# What the engine says of a sheet it cannot read, and what that means.
_UNREADABLE = {
    "No rows found": "a blank sheet",
    "XML parse error": "XML that is not well formed",
    "too large": "a cell longer than a workbook may hold",
}


def _empty_heading(connection: duckdb.DuckDBPyConnection, letters: list[str], companies: Collection[str]) -> None:
    """Empty the rows above the first record: they hold no number as long as one of a company."""
    record = " or ".join(f"regexp_matches({letter}, '[0-9]{{5}}')" for letter in companies)
    empty = ", ".join(f"{letter} = null" for letter in letters)
    connection.execute(
        f"update sheet set {empty} where rowid < $1 and rowid < (select min(rowid) from sheet where {record})",
        [_HEADING],
    )


@dataclass(frozen=True, slots=True)
class _Promise:
    """What the rows that fit an SQL condition hold in a column: a pattern, blanks aside, and its name."""

    rows: str
    letter: str
    header: str
    expected: str
    pattern: str


def _promises(source: Source, letters: Mapping[str, str]) -> Iterator[_Promise]:
    record = f"concat({', '.join(letters.values())}) <> ''"
    for cell in source.cells:
        letter = letters[cell.header]
        filled = record if cell.column == source.key else f"trim({letter}) <> ''"
        if _is_company(cell):
            yield _Promise(filled, letter, cell.header, "numbers of companies, of nine digits,", SIREN)
        elif cell.reader in _PROMISED:
            yield _Promise(filled, letter, cell.header, *_PROMISED[cell.reader])


def _require(connection: duckdb.DuckDBPyConnection, promise: _Promise) -> None:
    """Refuse a sheet whose column holds something else on most rows: a column is missing, or was moved."""
    found = connection.execute(_FITTING.format(letter=promise.letter, rows=promise.rows), [promise.pattern]).fetchall()
    ((total, right),) = found
    if 2 * right < total:
        raise BadSheet(
            f"expected {promise.expected} in column {promise.letter} ({promise.header}), found {right} on {total} rows: "
            "is a column missing, or moved?"
        )


def _is_company(cell: Cell) -> bool:
    return (cell.column or "").startswith("siren")


def _look_up(path: Path, wanted: Collection[str]) -> tuple[int, set[str], dict[str, list[int]], dict[str, list[int]]]:
    """Return the last row, the columns that hold something and, of those wanted, the rows of numbers and of shares."""
    last, filled = 0, set[str]()
    numbers: dict[str, list[int]] = {letter: [] for letter in wanted}
    per_cent: dict[str, list[int]] = {letter: [] for letter in wanted}
    try:
        with zipfile.ZipFile(path) as book:
            sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml")]
            if len(sheets) != 1:
                raise BadSheet(f"expected one sheet, found {len(sheets)}")
            styles = _shares(book.read("xl/styles.xml")) if "xl/styles.xml" in book.namelist() else set()
            with book.open(sheets[0]) as sheet:
                for attributes, name, row in _cells(sheet):
                    letter, last = name.decode(), max(last, int(row))
                    filled.add(letter)
                    if letter in numbers and not _NO_NUMBER.search(attributes):
                        numbers[letter].append(int(row))
                        style = _STYLE.search(attributes)
                        if style and int(style[1]) in styles:
                            per_cent[letter].append(int(row))
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise BadSheet("expected a workbook, found a damaged or other file") from None
    return last, filled, numbers, per_cent


def _cells(sheet: IO[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the attributes, column and row of every cell that holds something."""
    rest = b""
    while chunk := sheet.read(_CHUNK):
        text = rest + chunk
        # A tag may go on in the next piece.
        end = max(text.rfind(b"<"), 0)
        yield from _CELL.findall(text[:end])
        rest = text[end:]


def _shares(styles: bytes) -> set[int]:
    """Return the numbers of the styles that show a value as a share, a hundred times what it is."""
    codes = re.findall(rb'numFmtId="([0-9]+)"\s+formatCode="([^"]*)"', styles)
    shown = {number for number, code in codes if b"%" in _LITERAL.sub(b"", code)} | _BUILT_IN
    used = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    formats = re.findall(rb"<(?:\w+:)?xf\b[^>]*>", used[0]) if used else []
    ids = [re.search(rb'numFmtId="([0-9]+)"', one) for one in formats]
    return {place for place, found in enumerate(ids) if found and found[1] in shown}


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
