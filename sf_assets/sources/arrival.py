"""Inspection of delivered files: each file is read once, byte by byte, before any other code opens it.

A file that does not match its description is refused here with a message that names the place. Downstream assets then do
not run, so that the rows loaded from an earlier delivery stay (deviation B2).
"""

import codecs
import csv
import hashlib
import os
import re
import zipfile
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.packed import (
    UnreadableFile,
    chunks,
    first_lines,
    require_short,
)
from sf_assets.sources.counting import RecordCounter, require_whole_copy
from sf_assets.sources.description import Source
from sf_assets.sources.header import require_columns
from sf_assets.sources.parquet import count_rows, parquet_columns
from sf_assets.sources.text import converted_to_text, is_parquet
from sf_assets.vocabulary.schema import Column, Table

_LONE = re.compile(rb"\r(?=[^\n])")
_LONE_RETURN = "{}, line {}: expected lines that end with a line feed, found a lone carriage return"
_BOM = "\ufeff"
# Exceptions that library readers raise on a damaged file; any other exception is a bug of this project.
_READER_ERRORS = (
    duckdb.Error,
    pa.ArrowException,
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    ArithmeticError,
    MemoryError,
    NotImplementedError,
)
# Number of undeclared columns that a message lists: enough to recognise a new spelling.

ARRIVALS = Table(
    name="src_arrivals",
    grain="one file of a monthly batch, as it arrived",
    columns=(
        Column("source", "VARCHAR", "source the file belongs to"),
        Column("file", "VARCHAR", "name of the file"),
        Column("bytes", "BIGINT", "size as delivered, compressed or not", unit="byte"),
        Column("sha256", "VARCHAR", "checksum of the bytes as delivered"),
        Column(
            "content_sha256",
            "VARCHAR",
            "checksum of the text without packing and line ends; for Parquet, checksum of the bytes",
        ),
        Column("delivered_at", "TIMESTAMP", "last change of the file, UTC"),
        Column("changed_at", "TIMESTAMP", "last change of the file or its attributes, dated by the file system, UTC"),
        Column("lines", "BIGINT", "lines of the text, the header included", unit="line"),
        Column(
            "records", "BIGINT", "records of the file, counted by other code than the staging readers", unit="record"
        ),
        Column("fault", "VARCHAR", "why the file is refused, NULL when it passed inspection"),
    ),
    key=("source", "file"),
    may_be_empty=True,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """The result of the inspection of one file.

    `fault` is the reason for refusal, None when the file passed. `header` holds the column names as delivered,
    `header_line` the number of their line (from 1; 0 without a header). `delivered_at` is the last change of the file,
    `changed_at` that of the file or its attributes, in UTC. `content_sha256` is the checksum of the text without packing
    and line ends.
    """

    source: str
    file: str
    bytes: int
    sha256: str
    delivered_at: datetime
    changed_at: datetime | None
    lines: int
    records: int = 0
    content_sha256: str = ""
    header: tuple[str, ...] = ()
    header_line: int = 0
    fault: str | None = None


def changed_at(stat: os.stat_result) -> datetime:
    """Return the last change of a file or its attributes, in UTC: unlike its date, no program can set it back."""
    return datetime.fromtimestamp(stat.st_ctime, UTC).replace(tzinfo=None)


def inspect(path: Path, source: Source) -> Arrival:
    """Read one file to its end and return its size, checksums, header, and numbers of lines and records.

    Wrong content raises nothing: the reason is in `fault` of the result.

    Raises:
        OSError: the file cannot be opened at all.

    """
    stat = path.stat()
    arrival = Arrival(
        source=source.name,
        file=path.name,
        bytes=stat.st_size,
        sha256=sha256_of(path),
        delivered_at=datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None, microsecond=0),
        changed_at=changed_at(stat),
        lines=0,
    )
    try:
        with converted_to_text(path, source) as text:
            require_whole_copy(path, text, source)
            content = _Content()
            if is_parquet(text):
                lines = records = count_rows(text)
            else:
                counter = RecordCounter(source.separator, headed=not source.columns)
                lines, records = _count_lines(text, counter, content)
            content_sha256 = arrival.sha256 if is_parquet(text) else content.checksum()
            header_line, header = read_header(text, source)
            if source.trailer and text.suffix != ".xlsx":
                _require_trailer(text, source)
        arrival = replace(
            arrival, lines=lines, records=records, content_sha256=content_sha256, header=header, header_line=header_line
        )
        require_columns(arrival.file, arrival.header_line, arrival.header, source)
    except UnreadableFile as error:
        return replace(arrival, fault=str(error))
    except _READER_ERRORS as error:
        # The reader's own message may quote the file, so it is left out. One damaged file does not stop the others.
        return replace(
            arrival,
            fault=f"{path.name}: expected a file that can be read to its end, found one that stops its reader "
            f"({type(error).__name__}). Open it with the program that made it, save it again and deliver the new file",
        )
    return arrival


class _Content:
    """The checksum of a text, independent of its line ends and of empty lines at its end."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._ends = 0

    def add(self, piece: bytes) -> None:
        text = piece.replace(b"\r", b"")
        body = text.rstrip(b"\n")
        if body:
            self._digest.update(b"\n" * self._ends + body)
            self._ends = 0
        self._ends += len(text) - len(body)

    def checksum(self) -> str:
        return self._digest.hexdigest()


def _count_lines(path: Path, counter: RecordCounter, content: _Content) -> tuple[int, int]:
    """Count lines and records, add the text to `content`, and refuse bytes that are not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, last, pending, length = 0, b"", 0, 0
    for chunk in chunks(path):
        content.add(chunk if last else chunk.removeprefix(codecs.BOM_UTF8))
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            # The decoder puts the undecided bytes of the last chunk before this chunk: `error.start` counts them.
            line = lines + 1 + chunk[: max(error.start - pending, 0)].count(b"\n")
            found = error.object[error.start : error.start + 1].hex()
            raise UnreadableFile(f"{path.name}, line {line}: expected UTF-8, found byte 0x{found}") from None
        pending = len(decoder.getstate()[0])
        # DuckDB would end a line at a lone carriage return, and the numbers of all later lines would be wrong.
        if last == b"\r" and chunk[:1] != b"\n":
            raise UnreadableFile(_LONE_RETURN.format(path.name, lines + 1))
        if b"\r" in chunk and (lone := _LONE.search(chunk)):
            raise UnreadableFile(_LONE_RETURN.format(path.name, lines + 1 + chunk.count(b"\n", 0, lone.start())))
        lines, length = lines + chunk.count(b"\n"), _require_short_lines(path.name, chunk, lines + 1, length)
        counter.feed(chunk)
        last = chunk[-1:]
    if last == b"\r":
        raise UnreadableFile(_LONE_RETURN.format(path.name, lines + 1))
    if pending:
        raise UnreadableFile(
            f"{path.name}, line {lines + 1}: expected UTF-8, found a character cut by the end of the file"
        )
    return lines + (last not in (b"", b"\n")), counter.total()


def _require_short_lines(name: str, chunk: bytes, line: int, length: int) -> int:
    """Refuse a line longer than DuckDB reads; return the length in bytes of the unfinished last line.

    `length` is the length of the line that was unfinished before this chunk.
    """
    first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
    # Lines inside a chunk need no test: a chunk is shorter than the longest line allowed.
    require_short(name, line, length + (len(chunk) if first < 0 else first))
    return length + len(chunk) if last < 0 else len(chunk) - last - 1


def read_header(path: Path, source: Source) -> tuple[int, tuple[str, ...]]:
    """Return the line number of the header and the column names of a text.

    For a source without a header the line is 0 and the names are those declared.

    Raises:
        UnreadableFile: the text is empty or its header is malformed.

    """
    if is_parquet(path):
        return 0, parquet_columns(path)
    if source.columns and path.stat().st_size:
        return 0, (*source.columns, *_unnamed(path, source))
    for number, raw in enumerate(first_lines(path), start=1):
        text = raw.decode("utf-8").removeprefix(_BOM if number == 1 else "").rstrip("\r\n")
        if text:
            try:
                # A line break between quotes would make the header two lines, and the second one a record.
                return number, tuple(next(csv.reader([text], delimiter=source.separator, strict=True)))
            except csv.Error as error:
                raise UnreadableFile(f"{path.name}, line {number}: expected a header, found {error}") from None
    raise UnreadableFile(f"{path.name}: expected a header, found an empty file")


def read_columns(path: Path, source: Source) -> tuple[int, tuple[str, ...]]:
    """Return the line number of the header and the names of the columns to read: for Parquet, the declared ones only."""
    number, names = read_header(path, source)
    if is_parquet(path):
        declared = {cell.header.lower() for cell in source.cells}
        names = tuple(name for name in names if name.lower() in declared)
    return number, names


def _unnamed(path: Path, source: Source) -> tuple[str, ...]:
    """Return one empty name when lines end with a separator, which opens a column without a name; otherwise nothing."""
    fields = next(first_lines(path), b"").decode("utf-8").rstrip("\r\n").split(source.separator)
    return ("",) if len(fields) == len(source.columns) + 1 and not fields[-1] else ()


def _require_trailer(path: Path, source: Source) -> None:
    """Refuse a text without its trailer line, or whose trailer states another number of lines than the text has."""
    last, lines = b"", 0
    for raw in first_lines(path):
        if raw.strip():
            last, lines = raw, lines + 1
    text = last.decode("utf-8").strip()
    if not text.startswith(source.trailer):
        raise UnreadableFile(
            f"{path.name}: expected a last line {source.trailer!r}, found another one: the file is cut"
        )
    stated = re.search("[0-9]+", text)
    # The producer may or may not count the header and the trailer.
    if stated and not lines - 2 <= int(stated[0]) <= lines:
        raise UnreadableFile(f"{path.name}: expected {stated[0]} lines as the last line states, found {lines}")
