"""What arrived: each file read once, byte by byte, before anybody trusts it.

A file that cannot be read as promised is refused here, with a message that says where; nothing downstream then touches
what was good before (decision B2).
"""

import codecs
import csv
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sf_assets.engine.storage.packed import UnreadableFile, chunks, first_lines, largest_of, require_short, expansion_error
from sf_assets.sources.counting import RecordCounter, require_whole_copy
from sf_assets.sources.description import Source
from sf_assets.sources.monthly import months_of, odd_months_of
from sf_assets.sources.text import converted_to_text, is_parquet
from sf_assets.sources.yearly import names_of, years_of
from sf_assets.vocabulary.schema import Column, Table

_LONE = re.compile(rb"\r(?=[^\n])")
_LONE_RETURN = "{}, line {}: expected lines that end with a line feed, found a lone carriage return"
_BOM = "\ufeff"
# What bytes that are not as promised may raise in the readers of libraries; anything else is a fault of ours.
_UNREADABLE = (
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
# Names of undeclared columns that a message shows: enough to see a new spelling.
_SHOWN = 4

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
            "checksum of the text that the bytes hold, line ends apart; of Parquet, of the bytes",
        ),
        Column("delivered_at", "TIMESTAMP", "last change of the file, UTC"),
        Column("lines", "BIGINT", "lines of the text, the header included", unit="line"),
        Column("records", "BIGINT", "records of the file, counted without what reads them", unit="record"),
        Column("fault", "VARCHAR", "why the file is refused, NULL when it is as promised"),
    ),
    key=("source", "file"),
    may_be_empty=True,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file as it arrived; `fault` says why it is refused, None when it is as promised.

    `header` holds the column names as delivered; `header_line` is the number of their line.
    """

    source: str
    file: str
    bytes: int
    sha256: str
    delivered_at: datetime
    lines: int
    records: int = 0
    content_sha256: str = ""
    header: tuple[str, ...] = ()
    header_line: int = 0
    fault: str | None = None


def inspect(path: Path, source: Source) -> Arrival:
    """Read one file to its end: size, checksum, lines, encoding, compression, header. Never raises for what it holds."""
    stat = path.stat()
    arrival = Arrival(
        source=source.name,
        file=path.name,
        bytes=stat.st_size,
        sha256=checksum_of(path),
        delivered_at=datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None, microsecond=0),
        lines=0,
    )
    try:
        with converted_to_text(path, source) as text:
            require_whole_copy(path, text, source)
            content = _Content()
            if is_parquet(text):
                lines = records = _count_rows(text)
            else:
                counter = RecordCounter(source.separator, headed=not source.columns)
                lines, records = _count_lines(text, counter, content)
            held = arrival.sha256 if is_parquet(text) else content.checksum()
            header_line, header = read_header(text, source)
            if source.trailer and text.suffix != ".xlsx":
                _require_closing(text, source)
        arrival = replace(
            arrival, lines=lines, records=records, content_sha256=held, header=header, header_line=header_line
        )
        _require_columns(arrival, source)
    except UnreadableFile as refused:
        return replace(arrival, fault=str(refused))
    except _UNREADABLE as error:
        # The reader's own message may quote the file. Whatever the bytes of one file do to it, the other files go on.
        return replace(
            arrival,
            fault=f"{path.name}: expected a file that can be read to its end, found one that stops its reader "
            f"({type(error).__name__}). Open it with what made it, save it again and deliver that",
        )
    return arrival


def checksum_of(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file as delivered."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Content:
    """The checksum of a text whatever ends its lines, and however many empty ones end it."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._ends = 0

    def add(self, piece: bytes) -> None:
        text = piece.replace(b"\r", b"")
        written = text.rstrip(b"\n")
        if written:
            self._digest.update(b"\n" * self._ends + written)
            self._ends = 0
        self._ends += len(text) - len(written)

    def checksum(self) -> str:
        return self._digest.hexdigest()


def _count_lines(path: Path, counter: RecordCounter, content: _Content) -> tuple[int, int]:
    """Count the lines and the records while making sure that every byte is UTF-8, and add the text to `content`."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, last, pending, length = 0, b"", 0, 0
    for chunk in chunks(path):
        content.add(chunk if last else chunk.removeprefix(codecs.BOM_UTF8))
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            # The decoder sees what the last chunk left undecided before this one.
            line = lines + 1 + chunk[: max(error.start - pending, 0)].count(b"\n")
            found = error.object[error.start : error.start + 1].hex()
            raise UnreadableFile(f"{path.name}, line {line}: expected UTF-8, found byte 0x{found}") from None
        pending = len(decoder.getstate()[0])
        # The engine would end a line at a lone carriage return, and number those after it wrongly.
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
        raise UnreadableFile(f"{path.name}, line {lines + 1}: expected UTF-8, found a character cut by the end of the file")
    return lines + (last not in (b"", b"\n")), counter.total()


def _require_short_lines(name: str, chunk: bytes, line: int, length: int) -> int:
    """Refuse a line that no reader takes; return how long the last one is so far, `length` being what came before."""
    first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
    # Lines within a piece are shorter than it, and it is shorter than a line may be.
    require_short(name, line, length + (len(chunk) if first < 0 else first))
    return length + len(chunk) if last < 0 else len(chunk) - last - 1


def read_header(path: Path, source: Source) -> tuple[int, tuple[str, ...]]:
    """Return the line of the header and the column names of a text; without a header, line 0 and the declared names."""
    if is_parquet(path):
        return 0, _parquet_columns(path)
    if source.columns and path.stat().st_size:
        return 0, (*source.columns, *_unnamed(path, source))
    for number, raw in enumerate(first_lines(path), start=1):
        text = raw.decode("utf-8").removeprefix(_BOM if number == 1 else "").rstrip("\r\n")
        if text:
            try:
                return number, tuple(next(csv.reader([text], delimiter=source.separator)))
            except csv.Error as error:
                raise UnreadableFile(f"{path.name}, line {number}: expected a header, found {error}") from None
    raise UnreadableFile(f"{path.name}: expected a header, found an empty file")


def read_columns(path: Path, source: Source) -> tuple[int, tuple[str, ...]]:
    """Return the line of the header and the names of the columns that are read: of a Parquet file, only those declared."""
    number, names = read_header(path, source)
    if is_parquet(path):
        declared = {cell.header.lower() for cell in source.cells}
        names = tuple(name for name in names if name.lower() in declared)
    return number, names


def _unnamed(path: Path, source: Source) -> tuple[str, ...]:
    """Return the column without a name that a separator at the end of each line opens; nothing when lines have none."""
    fields = next(first_lines(path), b"").decode("utf-8").rstrip("\r\n").split(source.separator)
    return ("",) if len(fields) == len(source.columns) + 1 and not fields[-1] else ()


def _require_closing(path: Path, source: Source) -> None:
    """Refuse a text whose last line does not close it, or counts other lines than there are."""
    last, lines = b"", 0
    for raw in first_lines(path):
        if raw.strip():
            last, lines = raw, lines + 1
    text = last.decode("utf-8").strip()
    if not text.startswith(source.trailer):
        raise UnreadableFile(f"{path.name}: expected a last line {source.trailer!r}, found another: the file is cut")
    said = re.search("[0-9]+", text)
    # Whether the producer counts the line of names and the last one is not known.
    if said and not lines - 2 <= int(said[0]) <= lines:
        raise UnreadableFile(f"{path.name}: expected {said[0]} lines as the last one says, found {lines}")


def _count_rows(path: Path) -> int:
    """Count the rows of a Parquet file, by what its end says of it; refuse one that would swell beyond reason."""
    with _refusing_parquet(path):
        metadata = pq.read_metadata(path)
        declared = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    limit = largest_of(path.stat().st_size)
    # Rows that repeat one value take no bytes: their number has the same bound.
    if max(declared, metadata.num_rows) > limit:
        raise expansion_error(
            path.name, f"{metadata.num_rows:,} rows and {declared:,} bytes declared in {path.stat().st_size:,}"
        )
    return int(metadata.num_rows)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    with _refusing_parquet(path):
        return tuple(pq.read_schema(path).names)


@contextmanager
def _refusing_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError):
        # The reader's own message may show bytes of the file.
        raise UnreadableFile(f"{path.name}: expected a complete Parquet file, found a damaged or other one") from None


def _require_columns(arrival: Arrival, source: Source) -> None:
    names = names_of(arrival.header) if source.yearly else arrival.header
    found = {name.lower() for name in names}
    declared = {cell.header.lower() for cell in source.cells}
    missing = source.missing_from(names)
    if missing:
        expected = f"column {missing[0]}" if len(missing) == 1 else f"columns {', '.join(dict.fromkeys(missing))}"
        known = len(found & declared)
        # Without any known name the line may be a record: its cells are not for a log.
        unknown = [name for name in arrival.header if name.lower() not in declared] if known else []
        others = f"; undeclared: {', '.join(unknown[:_SHOWN])}" if unknown else ""
        raise UnreadableFile(
            f"{arrival.file}, line {arrival.header_line}: expected {expected} in the header, "
            f"found {len(arrival.header)} columns, {known} of them declared{others}"
        )
    if source.yearly and not years_of(arrival.header):
        raise UnreadableFile(f"{arrival.file}, line {arrival.header_line}: expected columns that end with a year, found none")
    if source.wide and (odd := odd_months_of(arrival.header) or ([] if months_of(arrival.header) else ["none"])):
        raise UnreadableFile(
            f"{arrival.file}, line {arrival.header_line}: expected head-count columns effAAAAXY, found {odd[0]}"
        )
