"""How many records a file holds, counted on arrival without what reads them: the other half of the account of records.

Nothing here is shared with `staging`: a reader that drops, doubles or merges records cannot agree with this count.
"""

import codecs
import csv
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from sf_assets.sources.description import Source
from sf_assets.sources.text import UnreadableFile, chunks

# An open quote joins this many lines at most into one record; past them it is a mistake, and its line a record of its own.
_MOST_LINES = 101
_BLANK = re.compile(rb"(?m)^\r?\n")
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# A whole string, a bracket, or the quote of a string that goes on in the next piece.
_JSON = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]|"', re.DOTALL)


class RecordCounter:
    """Counts the records of a delimited text that is fed piece by piece: lines with something in them, joined by quotes.

    A line with an odd number of quotes opens a record of several lines when they close it well, and is a wrong record of one
    line otherwise. `headed` texts start with a line of names, which is no record.
    """

    def __init__(self, separator: str, *, headed: bool) -> None:
        cut = re.escape(separator).encode()
        field = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^' + cut + rb'"\r\n]*+)'
        self._record = re.compile(field + rb"(?:" + cut + field + rb")*+\r?(?:\n|\Z)")
        self._pending = b""
        self._records = -int(headed)

    def feed(self, piece: bytes) -> None:
        """Count the lines that end in the next piece of the text."""
        text = self._pending + piece
        whole = text.rfind(b"\n") + 1
        self._pending = text[self._count(text[:whole]) :]

    def total(self) -> int:
        """Return the number of records, once everything was fed."""
        self._count(self._pending, last=True)
        self._pending = b""
        return max(self._records, 0)

    def _count(self, text: bytes, *, last: bool = False) -> int:
        """Count the records of whole lines; return where one starts that may go on in the next piece, or the end."""
        start = looked = 0
        while (quote := text.find(b'"', looked)) >= 0:
            line = max(text.rfind(b"\n", start, quote) + 1, start)
            looked = text.find(b"\n", quote) + 1 or len(text)
            if text.count(b'"', line, looked) % 2 == 0:
                continue
            end = _after_lines(text, line)
            if end is None and not last:
                self._records += _filled(text, start, line)
                return line
            closed = self._record.match(text, line, len(text) if end is None else end)
            self._records += _filled(text, start, line) + 1
            start = looked = closed.end() if closed else looked
        self._records += _filled(text, start, len(text))
        return len(text)


def _after_lines(text: bytes, start: int) -> int | None:
    """Return where the lines end that an open quote may join, None when the text has fewer."""
    for _ in range(_MOST_LINES):
        start = text.find(b"\n", start) + 1
        if not start:
            return None
    return start


def _filled(text: bytes, start: int, end: int) -> int:
    """Count the lines that hold something between two places of a text."""
    lines = text.count(b"\n", start, end) + (start < end and text[end - 1 : end] != b"\n")
    if (
        text[start : start + 1] in (b"\n", b"\r")
        or max(text.find(gap, start, end) for gap in (b"\n\n", b"\n\r\n")) >= 0
    ):
        lines -= len(_BLANK.findall(text, start, end))
    return lines


def require_whole_copy(path: Path, copy: Path, source: Source) -> None:
    """Refuse a file of which the text made from it does not hold each row of a sheet, record in JSON or line once."""
    if copy == path:
        return
    if path.suffix == ".xlsx":
        expected, found = _filled_rows(path), sum(any(row) for row in _rows(copy, source.separator))
    elif copy.suffix == ".json":
        expected, found = _objects(path), sum(1 for _ in _rows(copy, source.separator)) - 1
    else:
        expected = sum(text.count("\n") for text in codecs.iterdecode(chunks(path), source.encoding))
        found = sum(piece.count(b"\n") for piece in chunks(copy))
    if expected != found:
        raise UnreadableFile(f"{path.name}: expected the {expected} rows that the file holds, found {found} once read")


def _rows(copy: Path, separator: str) -> Iterator[list[str]]:
    with copy.open(encoding="utf-8", newline="") as text:
        yield from csv.reader(text, delimiter=separator)


def _filled_rows(path: Path) -> int:
    """Count the rows of a workbook's only sheet that hold a value, by its own XML."""
    with zipfile.ZipFile(path) as book:
        names = book.namelist()
        (sheet,) = (name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml"))
        blank = set()
        if "xl/sharedStrings.xml" in names:
            with book.open("xl/sharedStrings.xml") as strings:
                for place, text in enumerate(_elements(strings, "si")):
                    if not "".join(text.itertext()):
                        blank.add(str(place))
        with book.open(sheet) as rows:
            return sum(_holds_value(row, blank) for row in _elements(rows, "row"))


def _elements(stream: IO[bytes], name: str) -> Iterator[ElementTree.Element]:
    for _, element in ElementTree.iterparse(stream):  # noqa: S314 - counts, and resolves nothing
        if element.tag == f"{_SHEET}{name}":
            yield element
            element.clear()


def _holds_value(row: ElementTree.Element, blank: set[str]) -> bool:
    for cell in row.iter(f"{_SHEET}c"):
        value = cell.findtext(f"{_SHEET}v") or ""
        inline = cell.find(f"{_SHEET}is")
        if inline is not None and "".join(inline.itertext()):
            return True
        if value and not (cell.get("t") == "s" and value in blank):
            return True
    return False


def _objects(path: Path) -> int:
    """Count the objects of a list in JSON, or of the list under `results` of an object."""
    depth = level = objects = 0  # the records stand at `level`, 0 outside of their list
    name = pending = b""
    for piece in chunks(path):
        text, pending = pending + piece, b""
        for token in _JSON.finditer(text):
            match token[0]:
                case b"{":
                    objects += 0 < level == depth
                    depth += 1
                case b"[":
                    depth += 1
                    if depth == 1 or (depth == 2 and name == b'"results"'):  # noqa: PLR2004 - within the only object
                        level = depth
                case b"}" | b"]":
                    level *= depth > level
                    depth -= 1
                case b'"':
                    pending = text[token.start() :]
                    break
                case text_of:
                    name = text_of
    return objects
