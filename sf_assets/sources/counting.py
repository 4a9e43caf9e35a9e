"""The number of records of a file, counted on arrival.

This code shares nothing with the readers of `staging`, so that the check `nothing_lost` finds a reader that drops, doubles
or merges records.
"""

import codecs
import csv
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from sf_assets.engine.storage.packed import LONGEST_RECORD, UnreadableFile, chunks, unpacked
from sf_assets.sources.description import Source
from sf_assets.sources.text import form_of

_BLANK = re.compile(rb"(?m)^\r?\n")
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# A whole string, a bracket, or the opening quote of a string that ends in the next chunk.
_JSON = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]|"', re.DOTALL)


class RecordCounter:
    """Counter of the records of a delimited text, which is fed chunk by chunk.

    A record is a line that is not empty, or several lines joined by a quoted field. A line with an odd number of quotes
    starts a record of several lines when a later line closes the quote correctly; otherwise it counts as one malformed
    record. `headed` texts start with a line of names, which is not counted.
    """

    def __init__(self, separator: str, *, headed: bool) -> None:
        cut = re.escape(separator).encode()
        field = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^' + cut + rb'"\r\n]*+)'
        self._record = re.compile(field + rb"(?:" + cut + field + rb")*+\r?(?:\n|\Z)")
        self._pending = b""
        self._records = -int(headed)

    def feed(self, piece: bytes) -> None:
        """Count the lines that end in the next chunk of the text."""
        text = self._pending + piece
        whole = text.rfind(b"\n") + 1
        self._pending = text[self._count(text[:whole]) :]

    def total(self) -> int:
        """Return the number of records, once the whole text has been fed."""
        self._count(self._pending, last=True)
        self._pending = b""
        return max(self._records, 0)

    def _count(self, text: bytes, *, last: bool = False) -> int:
        """Count the records of whole lines; return the place of a record that may continue in the next chunk, or the end."""
        start = searched = 0
        while (quote := text.find(b'"', searched)) >= 0:
            line = max(text.rfind(b"\n", start, quote) + 1, start)
            searched = text.find(b"\n", quote) + 1 or len(text)
            if text.count(b'"', line, searched) % 2 == 0:
                continue
            end = _after_lines(text, line)
            if end is None and not last:
                self._records += _filled(text, start, line)
                return line
            closed = self._record.match(text, line, len(text) if end is None else end)
            self._records += _filled(text, start, line) + 1
            start = searched = closed.end() if closed else searched
        self._records += _filled(text, start, len(text))
        return len(text)


def _after_lines(text: bytes, start: int) -> int | None:
    """Return the end of the lines that a quoted field may span, None when the text has fewer lines."""
    for _ in range(LONGEST_RECORD + 1):
        start = text.find(b"\n", start) + 1
        if not start:
            return None
    return start


def _filled(text: bytes, start: int, end: int) -> int:
    """Count the lines that are not empty between two places of a text."""
    lines = text.count(b"\n", start, end) + (start < end and text[end - 1 : end] != b"\n")
    if (
        text[start : start + 1] in (b"\n", b"\r")
        or max(text.find(gap, start, end) for gap in (b"\n\n", b"\n\r\n")) >= 0
    ):
        lines -= len(_BLANK.findall(text, start, end))
    return lines


def require_whole_copy(path: Path, copy: Path, source: Source) -> None:
    """Refuse a file whose converted text lost or doubled rows of the sheet, records of the JSON or lines.

    Raises:
        UnreadableFile: states the numbers of rows before and after the conversion.

    """
    form = form_of(path)
    if copy == path or form == "parquet":
        return
    if form == "workbook":
        filled = [number for number, row in enumerate(_rows(copy, source.separator), start=1) if any(row)]
        with unpacked(path) as book:
            # In a sheet read by position, the rows above the first record are headings, which are emptied.
            expected, found = _filled_rows(book, min(filled, default=1) if source.columns else 1), len(filled)
    elif form == "records":
        expected, found = _objects(path), sum(1 for _ in _rows(copy, source.separator)) - 1
    else:
        expected = sum(text.count("\n") for text in codecs.iterdecode(chunks(path), source.encoding))
        found = sum(piece.count(b"\n") for piece in chunks(copy))
    if expected != found:
        raise UnreadableFile(
            f"{path.name}: expected the {expected} rows of the file, found {found} after its conversion to text"
        )


def _rows(copy: Path, separator: str) -> Iterator[list[str]]:
    with copy.open(encoding="utf-8", newline="") as text:
        yield from csv.reader(text, delimiter=separator)


def _filled_rows(path: Path, first: int) -> int:
    """Count in the XML the rows of a workbook's first sheet that hold a value, from the row number `first`."""
    with zipfile.ZipFile(path) as book:
        names = book.namelist()
        # Other sheets than the first refuse the file when it is read, unless the source allows them.
        sheet = min(name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml"))
        blank = set()
        if "xl/sharedStrings.xml" in names:
            with book.open("xl/sharedStrings.xml") as strings:
                for place, text in enumerate(_elements(strings, "si")):
                    if not "".join(text.itertext()):
                        blank.add(str(place))
        with book.open(sheet) as rows:
            numbered = ((int(row.get("r", place)), row) for place, row in enumerate(_elements(rows, "row"), start=1))
            return sum(_holds_value(row, blank) for number, row in numbered if number >= first)


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
    depth = level = objects = 0  # records are at depth `level`, 0 outside their list
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
