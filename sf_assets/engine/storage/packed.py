"""Reading of compressed files: gzip, or a zip archive of one file. Memory and disk used by unpacking are limited."""

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sf_assets.engine.storage.scratch import scratch_folder

PACKED = (".gz", ".zip")
# Longest line of a text, in bytes: DuckDB reads no longer ones.
LONGEST_LINE = 16 << 20
# The number of lines that may follow an open quote in one record; beyond, the quote is a mistake.
LONGEST_RECORD = 100
# Texts of figures are compressed ten to fifty times. A larger expansion means a damaged or malicious file.
_MAX_EXPANSION = 200
_NEVER_TOO_LARGE = 256 << 20
_CHUNK = 1 << 20
_HEADER = struct.Struct(
    "<26xHH"
)  # local header of a member: the lengths of its name and of its extra field are its last two fields
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_ENCRYPTED = 0x1
_FORMS = (".csv", ".txt", ".json", ".parquet", ".xlsx")


class UnreadableFile(Exception):
    """The file cannot be read as declared; the message names the place."""


def plain_name(name: str) -> str:
    """Return the name of a file once unpacked; a zip archive whose name has no other extension contains a CSV.

    >>> plain_name("debits.csv.gz"), plain_name("debits.csv.zip"), plain_name("StockUniteLegale_utf8.zip")
    ('debits.csv', 'debits.csv', 'StockUniteLegale_utf8.csv')
    """
    if not name.endswith(".zip"):
        return name.removesuffix(".gz")
    inner = name.removesuffix(".zip")
    return inner if inner.endswith(_FORMS) else f"{inner}.csv"


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked when its name ends with `.gz` or `.zip`.

    Raises:
        UnreadableFile: the archive does not hold exactly one file.

    """
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if path.suffix == ".zip":
        with _archive(path) as archive:
            # The archive stays open until its member is closed.
            return archive.open(_member(path, archive))
    return path.open("rb")


def chunks(path: Path) -> Iterator[bytes]:
    """Yield a file piece by piece, unpacked; raise `UnreadableFile` for an archive that is cut, damaged, or expands too much."""
    size, limit = 0, largest_of(path.stat().st_size)
    with refuse_damaged_archive(path), open_bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if path.suffix in PACKED and size > limit:
                raise expansion_error(path.name, f"more than {limit:,} bytes in {path.stat().st_size:,}")
            yield chunk


def first_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a text, unpacked, with their ends; raise `UnreadableFile` at one that is too long to be a record."""
    with refuse_damaged_archive(path), open_bytes(path) as stream:
        number = 1
        while line := stream.readline(LONGEST_LINE + 1):
            require_short(path.name, number, len(line))
            yield line
            number += 1


def require_short(name: str, number: int, length: int) -> None:
    """Raise `Refused` for a line that is too long for the engine."""
    if length > LONGEST_LINE:
        raise UnreadableFile(
            f"{name}, line {number}: expected lines of at most {LONGEST_LINE:,} bytes, found a longer one. Ask the "
            "producer whether line ends or quotes are missing"
        )


def largest_of(size: int) -> int:
    """Return how many bytes a packed file of so many may hold."""
    return max(_NEVER_TOO_LARGE, _MAX_EXPANSION * size)


def expansion_error(name: str, found: str) -> UnreadableFile:
    """Return the error of a file that expands too much when it is unpacked."""
    return UnreadableFile(
        f"{name}: expected at most {_MAX_EXPANSION} times its size once unpacked, found {found}. If it is meant, unpack "
        "it and deliver the plain file"
    )


@contextmanager
def refuse_damaged_archive(path: Path) -> Iterator[None]:
    """Raise `Refused`, with the name of the file, instead of the errors of an incomplete or damaged archive."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, struct.error) as error:
        kind = path.suffix.removeprefix(".").replace("gz", "gzip")
        raise UnreadableFile(
            f"{path.name}: expected a complete {kind} archive, found a cut or damaged one ({error})"
        ) from None


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield the file itself, or an unpacked copy that is removed at the end of the block."""
    if path.suffix not in PACKED:
        yield path
        return
    with scratch_folder() as folder:
        copy = folder / plain_name(path.name)
        with copy.open("wb") as out:
            for chunk in chunks(path):
                out.write(chunk)
        yield copy


@contextmanager
def readable_text(path: Path) -> Iterator[Path]:
    """Yield a text that DuckDB can open: the file itself, or a copy that is removed at the end of the block.

    DuckDB reads gzip but not zip. Both contain the same compressed bytes between different headers: the copy only exchanges
    the headers, without unpacking.
    """
    if path.suffix != ".zip":
        yield path
        return
    with refuse_damaged_archive(path), _archive(path) as archive, scratch_folder() as folder:
        member = _member(path, archive)
        deflated = member.compress_type == zipfile.ZIP_DEFLATED
        copy = folder / f"{plain_name(path.name)}{'.gz' if deflated else ''}"
        with path.open("rb") as stream, copy.open("wb") as out:
            stream.seek(member.header_offset)
            stream.seek(sum(_HEADER.unpack(stream.read(_HEADER.size))), 1)
            out.write(_GZIP_HEADER if deflated else b"")
            _copy(stream, out, member.compress_size)
            out.write(struct.pack("<II", member.CRC, member.file_size & 0xFFFFFFFF) if deflated else b"")
        yield copy


def require_bounded(path: Path) -> None:
    """Raise `Refused` for a workbook (a zip archive of several files) whose declared content exceeds the limit."""
    with refuse_damaged_archive(path), _archive(path) as archive:
        declared = sum(member.file_size for member in archive.infolist())
        if declared > largest_of(path.stat().st_size):
            raise expansion_error(path.name, f"{declared:,} bytes declared in {path.stat().st_size:,}")


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, struct.error) as error:
        kind = "workbook" if path.suffix == ".xlsx" else "zip archive"
        raise UnreadableFile(f"{path.name}: expected a complete {kind}, found a cut or damaged one ({error})") from None


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only file of an archive, ignoring folders and the files that macOS adds."""
    members = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    advice = "Unpack it and deliver the file that is meant"
    if len(members) != 1:
        raise UnreadableFile(f"{path.name}: expected an archive of one file, found {len(members)}. {advice}")
    (member,) = members
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableFile(f"{path.name}: expected an archive without password, found an encrypted one. {advice}")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        found = zipfile.compressor_names.get(member.compress_type, str(member.compress_type))  # type: ignore[attr-defined]
        raise UnreadableFile(f"{path.name}: expected the usual compression (deflate), found {found}. {advice}")
    if member.file_size > largest_of(member.compress_size):
        raise expansion_error(path.name, f"{member.file_size:,} bytes declared in {member.compress_size:,}")
    return member


def _copy(stream: IO[bytes], out: IO[bytes], size: int) -> None:
    while size > 0 and (chunk := stream.read(min(_CHUNK, size))):
        out.write(chunk)
        size -= len(chunk)
    if size:
        raise EOFError(f"{size} bytes missing")
