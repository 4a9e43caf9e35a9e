"""The files of a list, in lists/<AAMM>/: Parquet, CSV, XLSX and a page of the alerts, and the application's JSON.

Writing is deterministic: the same list gives the same bytes, whatever the day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
import xlsxwriter

from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import replace_folder
from sf_assets.lists.answers import answer_formats, answer_widths, guard_answers, with_answers
from sf_assets.lists.document import list_name
from sf_assets.lists.readme import About, readme_lines
from sf_assets.lists.reasons import reason_columns
from sf_assets.lists.selection import LEVELS
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.scopes import DGEFP, DGFIP, SCORE, URSSAF

Kind = Literal["text", "integer", "percent", "month", "sentence"]
_FORMATS: dict[Kind, str] = {"text": "@", "integer": "0", "percent": "0.0%", "month": "@", "sentence": "@"}
_LIKE_A_NUMBER = r"^\d[\d\s.,/:\-eE]*$"
_A4 = 9
_ORDINALS = ("Premier", "Deuxième", "Troisième")


@dataclass(frozen=True, slots=True)
class Header:
    """A column of the CSV and XLSX files: its French title, its width in characters, the kind of its values.

    An optional column is left out when no company of the list has a value in it. A recipient needs every scope of `scopes` to
    read it.
    """

    column: str
    title: str
    width: int
    kind: Kind = "text"
    optional: bool = False
    scopes: frozenset[str] = frozenset()


_SCORE = frozenset({SCORE})
# Expert rules name debts, short-time work and accounts.
_CORRECTION = frozenset({SCORE, URSSAF, DGEFP, DGFIP})

HEADERS: tuple[Header, ...] = (
    Header("rang", "Rang", 7, "integer", scopes=_SCORE),
    Header("siren", "SIREN", 12),
    Header("raison_sociale", "Raison sociale", 36),
    Header("siret_siege", "SIRET du siège", 17),
    Header("departement", "Département", 13),
    Header("libelle_region", "Région", 26),
    Header("code_commune", "Code commune", 15),
    Header("code_naf", "Code NAF", 11),
    Header("code_naf25", "Code NAF 2025", 14, optional=True),
    Header("effectif", "Effectif", 10, "integer"),
    Header("niveau", "Niveau d'alerte", 17, scopes=_SCORE),
    Header("probabilite", "Risque", 9, "percent", scopes=_SCORE),
    Header("evolution", "Évolution", 17, optional=True, scopes=_SCORE),
    Header("premiere_alerte", "Première alerte", 16, "month", scopes=_SCORE),
    Header("corrections", "Niveau corrigé pour", 40, "sentence", optional=True, scopes=_CORRECTION),
    *(
        Header(column, f"{ordinal} motif", 62, "sentence")
        for column, ordinal in zip(reason_columns(), _ORDINALS, strict=True)
    ),
)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The last files handed over for a month.

    `version` numbers them from 1; 0 means that no file was handed over. `scores_version` is the version of the scores they
    were made from, and `checksums` their SHA-256 by file name.
    """

    version: int = 0
    scores_version: int = 0
    checksums: Mapping[str, str] = field(default_factory=dict)

    def next_version(self, checksums: Mapping[str, str]) -> int:
        """Return the version of new files: the same number when their checksums are equal, otherwise the next."""
        return self.version if checksums == self.checksums else self.version + 1


_NEVER_HANDED_OVER = HandedOver()


def write_list(
    alerts: pl.DataFrame,
    document: Iterable[str],
    *,
    page: str,
    root: Path,
    about: About,
    handed_over: HandedOver = _NEVER_HANDED_OVER,
) -> tuple[Path, ...]:
    """Write the files of a month's list and return their paths; a list already there is replaced as a whole.

    `alerts` holds one row per company in alert, by rank, with at least the columns of `HEADERS`; the Parquet file has all
    of its columns. `document` yields the application's JSON piece by piece, `page` is the HTML page, and `root` the folder
    of all lists. Files handed over before (`handed_over`) move to the folder `<AAMM>_v<version>`, unless the new files are
    the same.

    Raises:
        ValueError: columns of `HEADERS` are missing; the message names them.

    """
    target = root / batch_key(about.month)

    def folder_of_previous(draft: Path) -> Path | None:
        same = handed_over.next_version({path.name: sha256_of(path) for path in draft.iterdir()}) == handed_over.version
        return None if same or not handed_over.version else target.with_name(f"{target.name}_v{handed_over.version}")

    with replace_folder(target, folder_of_previous) as draft:
        names = [path.name for path in write_files(draft, alerts, document, page, about)]
    return tuple(target / name for name in names)


def write_files(
    folder: Path, alerts: pl.DataFrame, document: Iterable[str], page: str, about: About
) -> tuple[Path, ...]:
    """Write the five files of a list into a folder and return their paths.

    Raises:
        ValueError: columns of `HEADERS` are missing; the message names them.

    """
    missing = [header.column for header in HEADERS if header.column not in alerts.columns]
    if missing:
        raise ValueError(f"list_alerts: expected columns {', '.join(missing)}, found none of that name")
    parquet, csv, xlsx, json, html = paths = tuple(
        folder / f"{stem_of(about.month)}.{kind}" for kind in ("parquet", "csv", "xlsx", "json", "html")
    )
    alerts.write_parquet(parquet)
    write_csv(alerts, csv)
    write_xlsx(alerts, xlsx, about)
    with json.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(document)
    html.write_text(page, encoding="utf-8", newline="\n")
    return paths


def stem_of(month: date) -> str:
    """Return the name of the files of a month's list, without its ending."""
    return f"liste_{batch_key(month)}"


def _readable(alerts: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `HEADERS` under their French titles, levels as words, values rounded to what is displayed."""
    labels = {level.rank: level.label for level in LEVELS}
    if "niveau" in alerts.columns:
        alerts = alerts.with_columns(pl.col("niveau").replace_strict(labels, return_dtype=pl.String))
    return alerts.select(_displayed(header) for header in _headers(alerts))


def _headers(alerts: pl.DataFrame) -> list[Header]:
    """Return the columns of `HEADERS` that the rows have; optional ones only with a value."""
    there = [header for header in HEADERS if header.column in alerts.columns]
    return [header for header in there if not header.optional or alerts[header.column].count()]


def _displayed(header: Header) -> pl.Expr:
    column = pl.col(header.column)
    if header.kind == "integer":
        column = column.cast(pl.Int64)
    if header.kind == "percent":
        column = column.round(3)
    if header.kind == "month":
        column = column.dt.strftime("%m/%Y")
    return column.alias(header.title)


def write_csv(alerts: pl.DataFrame, path: Path) -> None:
    """Write the list as CSV, percentages as « 12,2 % »."""
    percents = [
        (pl.format("{} %", (pl.col(header.title) * 100).round(1).cast(pl.String)))
        .str.replace(".", ",", literal=True)
        .alias(header.title)
        for header in _headers(alerts)
        if header.kind == "percent"
    ]
    write_csv_text(_readable(alerts), path, *percents)


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


def write_xlsx(alerts: pl.DataFrame, path: Path, about: About, recipient: str = "") -> None:
    """Write the workbook: the sheet « Liste », then the sheet « Lisez-moi ».

    For a `recipient` the sheet « Liste » has the columns that an officer fills in, and the rest of it is protected.
    """
    headers, rows = _headers(alerts), _readable(alerts)
    formats: dict[Any, Any] = {header.title: _FORMATS[header.kind] for header in headers}
    widths = {header.title: header.width for header in headers}
    if recipient:
        rows = with_answers(rows, batch_key(about.month), recipient)
        formats, widths = formats | answer_formats(), widths | answer_widths()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties(
            {
                "title": f"Signaux Faibles, {list_name(about.month)}",
                "created": datetime(about.cutoff.year, about.cutoff.month, about.cutoff.day),  # noqa: DTZ001 - a day has no time zone
            }
        )
        rows.write_excel(
            workbook,
            worksheet="Liste",
            table_style="Table Style Light 9",
            column_formats=formats,
            column_widths={title: 7 * width + 5 for title, width in widths.items()},
            freeze_panes=(1, 3),
            autofilter=True,
        )
        # On paper, the list fits the width of a page and each page repeats the column titles.
        sheet = workbook.get_worksheet_by_name("Liste")
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        if recipient:
            guard_answers(sheet, rows.columns, rows.height)
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
