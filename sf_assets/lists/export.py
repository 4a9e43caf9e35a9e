"""The files that public officers receive, in lists/<AAMM>/: Parquet, CSV and XLSX of the alerts, and the application's JSON.

Writing is deterministic: the same list gives the same bytes, whatever the day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any, Literal

import polars as pl
import xlsxwriter

from sf_assets.engine.storage.checksums import sha256_of
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
_ROW_PIXELS = 20
_README_WIDTH = 110
_ORDINALS = ("Premier", "Deuxième", "Troisième")


@dataclass(frozen=True, slots=True)
class Header:
    """A column of the CSV and XLSX files: its French title, its width in characters, the kind of its values.

    An optional column is left out when no company of the list has a value in it.
    """

    column: str
    title: str
    width: int
    kind: Kind = "text"
    optional: bool = False


# What an officer reads first and prints, in order; then, right of the printed columns, addresses and codes.
HEADERS: tuple[Header, ...] = (
    Header("rang", "Rang", 6, "integer"),
    Header("siren", "SIREN", 11),
    Header("raison_sociale", "Raison sociale", 28, "sentence"),
    Header("departement", "Département", 12),
    Header("libelle_activite_principale", "Activité", 26, "sentence"),
    Header("effectif", "Effectif", 8, "integer"),
    Header("niveau", "Niveau d'alerte", 10, "sentence"),
    Header("probabilite", "Risque", 8, "percent"),
    Header("evolution", "Évolution", 10, "sentence", optional=True),
    Header("premiere_alerte", "Première alerte", 9, "month"),
    Header("corrections", "Niveau corrigé pour", 24, "sentence", optional=True),
    *(
        Header(column, f"{ordinal} motif", 34, "sentence")
        for column, ordinal in zip(reason_columns(), _ORDINALS, strict=True)
    ),
    Header("adresse", "Adresse", 40, "sentence"),
    Header("siret_siege", "SIRET du siège", 17),
    Header("libelle_region", "Région", 26),
    Header("code_commune", "Code commune", 15),
    Header("code_naf", "Code NAF", 11),
    Header("code_naf25", "Code NAF 2025", 14, optional=True),
    Header("donnees_au", "Données au", 12),
)
_LAST_PRINTED = reason_columns()[-1]
_GONE = (
    Header("raison_sociale", "Raison sociale", 36, "sentence"),
    Header("siren", "SIREN", 12),
    Header("niveau_precedent", "Niveau le mois dernier", 16),
    Header("raison", "Pourquoi elle n'y figure plus", 60, "sentence"),
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
    root: Path,
    about: About,
    handed_over: HandedOver = _NEVER_HANDED_OVER,
    gone: pl.DataFrame | None = None,
) -> tuple[Path, ...]:
    """Write the files of a month's list and return their paths; a list already there is replaced as a whole.

    `alerts` holds one row per company in alert, by rank, with at least the columns of `HEADERS`; the Parquet file has all
    of its columns. `document` yields the application's JSON piece by piece, and `root` is the folder of all lists. Files
    handed over before (`handed_over`) move to the folder `<AAMM>_v<version>`, unless the new files are the same. `gone` are the
    companies that left the list, as `departures` returns them.

    Raises:
        ValueError: columns of `HEADERS` are missing; the message names them.

    """
    dated = alerts.with_columns(donnees_au=pl.lit(f"{about.cutoff:%d/%m/%Y}"))
    missing = [header.column for header in HEADERS if header.column not in dated.columns]
    if missing:
        raise ValueError(f"list_alerts: expected columns {', '.join(missing)}, found none of that name")
    stem = f"liste_{batch_key(about.month)}"
    target = root / batch_key(about.month)

    def folder_of_previous(draft: Path) -> Path | None:
        same = handed_over.next_version({path.name: sha256_of(path) for path in draft.iterdir()}) == handed_over.version
        return None if same or not handed_over.version else target.with_name(f"{target.name}_v{handed_over.version}")

    with replace_folder(target, folder_of_previous) as draft:
        alerts.write_parquet(draft / f"{stem}.parquet")
        _write_csv(dated, draft / f"{stem}.csv")
        _write_xlsx(dated, draft / f"{stem}.xlsx", about, gone)
        with (draft / f"{stem}.json").open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(document)
    return tuple(target / f"{stem}.{kind}" for kind in ("parquet", "csv", "xlsx", "json"))


def _readable(alerts: pl.DataFrame, headers: Sequence[Header]) -> pl.DataFrame:
    """Return the columns of `headers` under their French titles, levels as words, values rounded to what is displayed."""
    labels = {level.rank: level.label for level in LEVELS}
    levels = [name for name in ("niveau", "niveau_precedent") if name in alerts.columns]
    named = alerts.with_columns(pl.col(levels).replace_strict(labels, return_dtype=pl.String))
    return named.select(_displayed(header) for header in headers)


def _headers(alerts: pl.DataFrame) -> list[Header]:
    return [header for header in HEADERS if not header.optional or alerts[header.column].count()]


def _displayed(header: Header) -> pl.Expr:
    column = pl.col(header.column)
    if header.column == "adresse":
        column = column.str.replace_all(r"\s*\n\s*", ", ")
    if header.kind == "integer":
        column = column.cast(pl.Int64)
    if header.kind == "percent":
        column = column.round(3)
    if header.kind == "month":
        column = column.dt.strftime("%m/%Y")
    return column.alias(header.title)


def _write_csv(alerts: pl.DataFrame, path: Path) -> None:
    """Write the CSV that a French Excel opens with a double click: BOM, semicolons, decimal commas, « 12,2 % ».

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
    percents = [
        (pl.format("{} %", (pl.col(header.title) * 100).round(1).cast(pl.String)))
        .str.replace(".", ",", literal=True)
        .alias(header.title)
        for header in _headers(alerts)
        if header.kind == "percent"
    ]
    _readable(alerts, _headers(alerts)).with_columns(harmless, *percents).write_csv(
        path, include_bom=True, separator=";", decimal_comma=True, line_terminator="\r\n"
    )


def _write_xlsx(alerts: pl.DataFrame, path: Path, about: About, gone: pl.DataFrame | None) -> None:
    """Write the workbook: the sheets « Liste », « Sorties » when companies left the list, and « Lisez-moi »."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties(
            {
                "title": f"Signaux Faibles, {list_name(about.month)}",
                "created": datetime(about.cutoff.year, about.cutoff.month, about.cutoff.day),  # noqa: DTZ001 - a day has no time zone
            }
        )
        headers = _headers(alerts)
        printed = next(place for place, header in enumerate(headers) if header.column == _LAST_PRINTED)
        sheet = _write_table(workbook, "Liste", alerts, headers, about)
        sheet.freeze_panes(1, 3)
        sheet.print_area(0, 0, max(alerts.height, 1), printed)
        if gone is not None and gone.height:
            _write_table(workbook, "Sorties", gone, _GONE, about).freeze_panes(1, 0)
        _write_readme(workbook, about)


def _write_table(workbook: Any, name: str, rows: pl.DataFrame, headers: Sequence[Header], about: About) -> Any:
    """Write a sheet of one table. On paper it fits the width of A4 pages, each of which repeats titles and date of the data."""
    readable = _readable(rows, headers)
    heights: dict[int | tuple[int, ...], int] = {0: 2 * _ROW_PIXELS}
    heights |= dict(enumerate(_heights(readable, headers), start=1))
    readable.write_excel(
        workbook,
        worksheet=name,
        table_style="Table Style Light 9",
        column_formats={header.title: _format_of(header) for header in headers},
        column_widths={header.title: 7 * header.width + 5 for header in headers},
        header_format={"text_wrap": True, "valign": "top"},
        row_heights=heights,
        autofilter=True,
    )
    sheet = workbook.get_worksheet_by_name(name)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_header(f"&LSignaux Faibles, {list_name(about.month)}&RDonnées connues au {about.cutoff:%d/%m/%Y}")
    sheet.set_footer("&LListe réservée aux agents habilités&RPage &P / &N")
    return sheet


def _format_of(header: Header) -> dict[str, Any]:
    return {"num_format": _FORMATS[header.kind], "valign": "top", "text_wrap": header.kind == "sentence"}


def _heights(readable: pl.DataFrame, headers: Sequence[Header]) -> Iterator[int]:
    """Yield the height of each row in pixels: not every program makes room for the lines of a wrapped text by itself."""
    lines = [
        (pl.col(header.title).str.len_chars().fill_null(0) / (0.9 * header.width)).ceil()
        for header in headers
        if header.kind == "sentence"
    ]
    for count in readable.select(pl.max_horizontal(*lines, 1).cast(pl.Int64)).to_series():
        yield _ROW_PIXELS * count


def _write_readme(workbook: Any, about: About) -> None:
    sheet = workbook.add_worksheet("Lisez-moi")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, _README_WIDTH)
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    formats = {
        "title": workbook.add_format({"bold": True, "font_size": 16}),
        "heading": workbook.add_format({"bold": True, "font_size": 12, "top": 1}),
        "text": workbook.add_format({"text_wrap": True, "valign": "top"}),
    }
    for row, (style, text) in enumerate(readme_lines(about)):
        lines = ceil(len(text) / (0.9 * _README_WIDTH)) if style == "text" else 1
        sheet.set_row_pixels(row, (_ROW_PIXELS if style == "text" else 28) * max(lines, 1))
        sheet.write_string(row, 0, text, formats[style])
