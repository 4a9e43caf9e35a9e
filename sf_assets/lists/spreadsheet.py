"""The CSV files that a French spreadsheet opens with a double click."""

from pathlib import Path

import polars as pl

from sf_assets.lists.columns import headers_of, readable

_LIKE_A_NUMBER = r"^\d[\d\s.,/:\-eE]*$"


def write_csv(alerts: pl.DataFrame, path: Path) -> None:
    """Write the list as CSV, percentages as « 12,2 % »."""
    headers = headers_of(alerts)
    percents = [
        (pl.format("{} %", (pl.col(header.title) * 100).round(1).cast(pl.String)))
        .str.replace(".", ",", literal=True)
        .alias(header.title)
        for header in headers
        if header.kind == "percent"
    ]
    write_csv_text(readable(alerts, headers), path, *percents)


def write_csv_text(rows: pl.DataFrame, path: Path, *expressions: pl.Expr) -> None:
    """Write a CSV that a French Excel opens with a double click: BOM, semicolons, decimal commas.

    `expressions` word columns that are not texts.

    A spreadsheet runs a text that begins like a formula: an apostrophe before it prevents that. It also strips the zeros of
    digits that are not a number (SIREN, department 01) or turns them into a date (month): written ="01" they stay texts.
    """
    text = pl.col(pl.String)
    harmless = (
        pl.when(text.str.contains(r"^[=+\-@\t\r]"))
        .then("'" + text)
        .when(text.str.contains(_LIKE_A_NUMBER))
        .then('="' + text + '"')
        .otherwise(text)
        .name.keep()
    )
    rows.with_columns(harmless, *expressions).write_csv(
        path, include_bom=True, separator=";", decimal_comma=True, line_terminator="\r\n"
    )
