"""Rewrites that make a delivered file faulty: pure functions from the delivered bytes to other bytes."""

from collections.abc import Callable, Mapping
from io import BytesIO

import polars as pl

from sf_assets_dev.faults.description import Delivered

Rewrite = Callable[[Delivered], bytes]


def last_month(delivered: Delivered) -> bytes:
    """Return the file of the month before."""
    return delivered.before


def cut(delivered: Delivered) -> bytes:
    """Return the first half of the bytes."""
    return delivered.content[: len(delivered.content) // 2]


def every_other_row(delivered: Delivered) -> bytes:
    """Return the header and every other row."""
    header, *rows = delivered.content.splitlines(keepends=True)
    return b"".join([header, *rows[::2]])


def renamed(names: Mapping[str, str]) -> Rewrite:
    """Rename columns in the header; rows stay unchanged."""

    def rewrite(delivered: Delivered) -> bytes:
        header, end, rows = delivered.content.partition(b"\n")
        names_line = header.decode()
        for separator in ";,":
            names_line = separator.join(names.get(name, name) for name in names_line.split(separator))
        return names_line.encode() + end + rows

    return rewrite


def replaced(old: bytes, new: bytes) -> Rewrite:
    """Replace every occurrence of some bytes."""
    return lambda delivered: delivered.content.replace(old, new)


def in_latin_1(delivered: Delivered) -> bytes:
    """Encode the text in Latin-1, without the characters that Latin-1 lacks."""
    return delivered.content.decode().encode("latin-1", "ignore")


def of_rows(separator: str, change: Callable[[pl.DataFrame, Delivered], pl.DataFrame]) -> Rewrite:
    """Apply a change to the rows, read as text columns named by the header."""

    def rewrite(delivered: Delivered) -> bytes:
        rows = pl.read_csv(BytesIO(delivered.content), separator=separator, infer_schema=False)
        return change(rows, delivered).write_csv(separator=separator).encode()

    return rewrite


def of_columns(separator: str, *changed: pl.Expr) -> Rewrite:
    """Replace columns by expressions over the same rows."""
    return of_rows(separator, lambda rows, _: rows.with_columns(*changed))
