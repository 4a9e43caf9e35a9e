"""Ways to spoil a file: each is a pure function from what was delivered to other bytes."""

from collections.abc import Callable, Mapping
from io import BytesIO

import polars as pl

from sf_assets_dev.faults.description import Delivered

Rewrite = Callable[[Delivered], bytes]


def last_month(delivered: Delivered) -> bytes:
    """Deliver the file of the month before."""
    return delivered.before


def cut(delivered: Delivered) -> bytes:
    """Lose the second half of the bytes."""
    return delivered.content[: len(delivered.content) // 2]


def every_other_row(delivered: Delivered) -> bytes:
    """Keep the header and one row in two."""
    header, *rows = delivered.content.splitlines(keepends=True)
    return b"".join([header, *rows[::2]])


def renamed(names: Mapping[str, str]) -> Rewrite:
    """Give columns other names in the header, and leave the rows as they are."""

    def rewrite(delivered: Delivered) -> bytes:
        header, end, rows = delivered.content.partition(b"\n")
        found = header.decode()
        for separator in ";,":
            found = separator.join(names.get(name, name) for name in found.split(separator))
        return found.encode() + end + rows

    return rewrite


def replaced(old: bytes, new: bytes) -> Rewrite:
    """Write other bytes in the place of some, wherever they are."""
    return lambda delivered: delivered.content.replace(old, new)


def in_latin_1(delivered: Delivered) -> bytes:
    """Encode the text as Windows does, without what it cannot write."""
    return delivered.content.decode().encode("latin-1", "ignore")


def of_rows(separator: str, change: Callable[[pl.DataFrame, Delivered], pl.DataFrame]) -> Rewrite:
    """Change the rows, which are texts in columns named by the header."""

    def rewrite(delivered: Delivered) -> bytes:
        rows = pl.read_csv(BytesIO(delivered.content), separator=separator, infer_schema=False)
        return change(rows, delivered).write_csv(separator=separator).encode()

    return rewrite


def of_columns(separator: str, *changed: pl.Expr) -> Rewrite:
    """Replace columns by others of the same rows."""
    return of_rows(separator, lambda rows, _: rows.with_columns(*changed))
