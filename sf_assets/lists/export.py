"""The files public officers receive, in lists/<AAMM>/: Parquet, CSV and XLSX of the alerts, and the application's JSON.

The same list gives the same bytes, on any day.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
import xlsxwriter

from sf_assets.engine.storage.folders import replace_folder
from sf_assets.lists.document import list_name
from sf_assets.lists.readme import About, readme_lines
from sf_assets.lists.reasons import reason_columns
from sf_assets.lists.selection import LEVELS
from sf_assets.sources.batch import batch_key

Kind = Literal["text", "integer", "percent", "month", "sentence"]
_FORMATS: dict[Kind, str] = {"text": "@", "integer": "0", "percent": "0.0%", "month": "@", "sentence": "@"}
_LIKE_A_NUMBER = r"^\d[\d\s.,/:\-eE]*$"
_A4 = 9
_ORDINALS = ("Premier", "Deuxième", "Troisième")


@dataclass(frozen=True, slots=True)
class Header:
    """A column of the CSV and XLSX files: its French name, its width in characters, the kind of its values.

    An optional column is left out of a list in which no company has a value.
    """

    column: str
    title: str
    width: int
    kind: Kind = "text"
    optional: bool = False


HEADERS: tuple[Header, ...] = (
    Header("rang", "Rang", 7, "integer"),
    Header("siren", "SIREN", 12),
    Header("raison_sociale", "Raison sociale", 36),
    Header("siret_siege", "SIRET du siège", 17),
    Header("departement", "Département", 13),
    Header("libelle_region", "Région", 26),
    Header("code_commune", "Code commune", 15),
    Header("code_naf", "Code NAF", 11),
    Header("code_naf25", "Code NAF 2025", 14, optional=True),
    Header("effectif", "Effectif", 10, "integer"),
    Header("niveau", "Niveau d'alerte", 17),
    Header("probabilite", "Risque", 9, "percent"),
    Header("evolution", "Évolution", 17, optional=True),
    Header("premiere_alerte", "Première alerte", 16, "month"),
    Header("corrections", "Niveau corrigé pour", 40, "sentence", optional=True),
    *(
        Header(column, f"{ordinal} motif", 62, "sentence")
        for column, ordinal in zip(reason_columns(), _ORDINALS, strict=True)
    ),
)


@dataclass(frozen=True, slots=True)
class Handed:
    """The files of the month handed over last: their version, 0 when there is none, the scores they were made from.

    `checksums` are those of the files, by name.
    """

    version: int = 0
    scores_version: int = 0
    checksums: Mapping[str, str] = field(default_factory=dict)

    def next(self, checksums: Mapping[str, str]) -> int:
        """Return the version of files: that of the same ones, or the one after."""
        return self.version if checksums == self.checksums else self.version + 1


_NOTHING = Handed()


def write_list(
    alerts: pl.DataFrame, document: Iterable[str], *, root: Path, about: About, former: Handed = _NOTHING
) -> tuple[Path, ...]:
    """Write the files of a month's list and return their paths; a list already there is replaced as a whole.

    What was handed over before, `former`, stays in the folder `<AAMM>_v<version>` unless the files are the same.

    `alerts` are the companies in alert by rank, with at least the columns of `HEADERS`; the Parquet file keeps all of
    its columns. `document` is the application's JSON, in pieces, and `root` the folder of lists. Raises `ValueError`
    naming the columns that are missing.
    """
    missing = [header.column for header in HEADERS if header.column not in alerts.columns]
    if missing:
        raise ValueError(f"list_alerts: expected columns {', '.join(missing)}, found none of that name")
    stem = f"liste_{batch_key(about.month)}"
    target = root / batch_key(about.month)

    def aside(draft: Path) -> Path | None:
        same = former.next({path.name: sha256_of(path) for path in draft.iterdir()}) == former.version
        return None if same or not former.version else target.with_name(f"{target.name}_v{former.version}")

    with replace_folder(target, aside) as draft:
        alerts.write_parquet(draft / f"{stem}.parquet")
        _write_csv(alerts, draft / f"{stem}.csv")
        _write_xlsx(alerts, draft / f"{stem}.xlsx", about)
        with (draft / f"{stem}.json").open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(document)
    return tuple(target / f"{stem}.{kind}" for kind in ("parquet", "csv", "xlsx", "json"))


def sha256_of(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _readable(alerts: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `HEADERS` under their French names, levels in words, without hidden decimals."""
    labels = {level.rank: level.label for level in LEVELS}
    named = alerts.with_columns(pl.col("niveau").replace_strict(labels, return_dtype=pl.String))
    return named.select(_shown(header) for header in _headers(alerts))


def _headers(alerts: pl.DataFrame) -> list[Header]:
    return [header for header in HEADERS if not header.optional or alerts[header.column].count()]


def _shown(header: Header) -> pl.Expr:
    column = pl.col(header.column)
    if header.kind == "integer":
        column = column.cast(pl.Int64)
    if header.kind == "percent":
        column = column.round(3)
    if header.kind == "month":
        column = column.dt.strftime("%m/%Y")
    return column.alias(header.title)


def _write_csv(alerts: pl.DataFrame, path: Path) -> None:
    """Write the CSV that a French Excel opens with a double click: BOM, semicolons, decimal commas, « 12,2 % ».

    A text that begins like a formula would be run by the spreadsheet; an apostrophe makes it a text again. Digits that
    are no number (SIREN, department 01, a month) would lose their zeros or become a date: as ="01" they stay as they are.
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
    percents = [
        (pl.format("{} %", (pl.col(header.title) * 100).round(1).cast(pl.String)))
        .str.replace(".", ",", literal=True)
        .alias(header.title)
        for header in _headers(alerts)
        if header.kind == "percent"
    ]
    _readable(alerts).with_columns(harmless, *percents).write_csv(
        path, include_bom=True, separator=";", decimal_comma=True, line_terminator="\r\n"
    )


def _write_xlsx(alerts: pl.DataFrame, path: Path, about: About) -> None:
    """Write the workbook: the list, then what it is for."""
    shown = _headers(alerts)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties(
            {
                "title": f"Signaux Faibles, {list_name(about.month)}",
                "created": datetime(about.cutoff.year, about.cutoff.month, about.cutoff.day),  # noqa: DTZ001 - a day
            }
        )
        _readable(alerts).write_excel(
            workbook,
            worksheet="Liste",
            table_style="Table Style Light 9",
            column_formats={header.title: _FORMATS[header.kind] for header in shown},
            column_widths={header.title: 7 * header.width + 5 for header in shown},
            freeze_panes=(1, 3),
            autofilter=True,
        )
        # Printed, the list takes the width of a page, and each page bears the names of the columns.
        sheet = workbook.get_worksheet_by_name("Liste")
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        _write_readme(workbook, about)


def _write_readme(workbook: Any, about: About) -> None:
    sheet = workbook.add_worksheet("Lisez-moi")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 110)
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    formats = {
        "title": workbook.add_format({"bold": True, "font_size": 16}),
        "heading": workbook.add_format({"bold": True, "font_size": 12, "top": 1}),
        "text": workbook.add_format({"text_wrap": True, "valign": "top"}),
    }
    for row, (style, text) in enumerate(readme_lines(about)):
        sheet.write_string(row, 0, text, formats[style])
