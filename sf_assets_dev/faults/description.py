"""A fault: an error planted in a delivered file or in a table, and the check that must catch it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Delivered:
    """The bytes of a file in a month's batch, and of the same file in the month before; decompressed unless `compressed`."""

    month: date
    content: bytes
    before: bytes


@dataclass(frozen=True, slots=True)
class FileFault:
    """A fault of a delivered file: `rewrite` returns the faulty bytes, and the check `check` of `asset` must fail.

    When `compressed`, `rewrite` receives the bytes of the archive instead of its decompressed content.
    """

    name: str
    description: str
    file: str
    rewrite: Callable[[Delivered], bytes]
    asset: str
    check: str
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class TableFault:
    """A fault of a computed table: `query` computes faulty rows from the month's rows `batch`, and `check` must fail."""

    name: str
    description: str
    asset: str
    query: str
    check: str


Fault = FileFault | TableFault
