"""What a fault is: something that goes wrong with a delivery or a table, and the check that must see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file of a month's batch, decompressed unless the fault wants its bytes, and the same file of the month before."""

    month: date
    content: bytes
    before: bytes


@dataclass(frozen=True, slots=True)
class FileFault:
    """A file that is delivered wrong: `rewrite` makes it so, and `check` of `asset` refuses it.

    `compressed` gives the bytes of an archive as they lie, instead of what they hold.
    """

    name: str
    does: str
    file: str
    rewrite: Callable[[Delivered], bytes]
    asset: str
    check: str
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class TableFault:
    """A table that holds what it should not: `query` gives its rows from those of `batch`, and `check` refuses them."""

    name: str
    does: str
    asset: str
    query: str
    check: str


Fault = FileFault | TableFault
