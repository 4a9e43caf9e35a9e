"""A batch: the files of one month, each with the source it belongs to.

File names decide (sources.md §1.3): exact names first, then any name containing `effectif_`, then any name starting
with `filter`; comparison is case-sensitive, and `.gz` is recognised for every name.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sf_assets.sources import SOURCES, Source

_KEY_LENGTH = 4


class BadBatch(ValueError):
    """The batch itself cannot be found or named: nothing of the month can start."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of one month by source name, in name order; `unsupported` are the names nobody claims."""

    month: date
    folder: Path
    files: dict[str, tuple[Path, ...]]
    unsupported: tuple[str, ...]


def batch_key(month: date) -> str:
    """Return the batch key of a month.

    >>> batch_key(date(2026, 3, 1))
    '2603'
    """
    return f"{month:%y%m}"


def is_key(name: str) -> bool:
    """Tell whether a name is a batch key.

    >>> is_key("2603"), is_key("2613"), is_key("mars")
    (True, False, False)
    """
    return len(name) == _KEY_LENGTH and name.isascii() and name.isdigit() and "01" <= name[2:] <= "12"


def month_of(key: str) -> date:
    """Return the first day of the month a batch key names; refuse anything that is no month.

    >>> month_of("2603")
    datetime.date(2026, 3, 1)
    """
    if not is_key(key):
        raise BadBatch(f"batch key: expected four digits AAMM with a month between 01 and 12, found {key!r}")
    return date(2000 + int(key[:2]), int(key[2:]), 1)


def source_of(name: str) -> Source | None:
    """Return the source a file name belongs to, or None.

    >>> source_of("sigfaible_debits.csv.gz").name
    'debit'
    >>> source_of("my_effectif_siren_2024.csv").name, source_of("filter_2603.csv").name
    ('effectif', 'filter')
    >>> source_of("sigfaibles_debits.csv")
    """
    plain = name.removesuffix(".gz")
    for claim in (Source.names_exactly, Source.matches):
        for source in SOURCES:
            if claim(source, plain):
                return source
    return None


def read_batch(incoming: Path, month: date) -> Batch:
    """List the files of a month's folder by source.

    Raises `BadBatch` when the folder is missing. Sub-folders and hidden files are not looked at.
    """
    folder = incoming / batch_key(month)
    if not folder.is_dir():
        raise BadBatch(f"batch {batch_key(month)}: expected a folder {folder}, found none")
    files: dict[str, tuple[Path, ...]] = {}
    unsupported = []
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        source = source_of(path.name)
        if source is None:
            unsupported.append(path.name)
        else:
            files[source.name] = (*files.get(source.name, ()), path)
    return Batch(month=month, folder=folder, files=files, unsupported=tuple(unsupported))
