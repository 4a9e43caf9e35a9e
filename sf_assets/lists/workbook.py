"""The workbook of a list: sheets « Liste », « Sorties » and « Lisez-moi », printed on A4."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from sf_assets.lists.answers import answer_formats, answer_widths, guard_answers, with_answers
from sf_assets.lists.columns import DEPARTURES, LAST_PRINTED, Header, Kind, headers_of, readable
from sf_assets.lists.document import list_name
from sf_assets.lists.readme import About, readme_lines
from sf_assets.sources.batch import batch_key

_FORMATS: dict[Kind, str] = {
    "text": "@",
    "integer": "0",
    "percent": "0.0\N{NO-BREAK SPACE}%",
    "month": "@",
    "sentence": "@",
}
_A4 = 9
_ROW_PIXELS = 20
# LibreOffice cuts a column wider than the paper, even on a sheet fitted to one page (findings/libreoffice_fit_of_one_column.sh).
_README_WIDTH = 80


def write_xlsx(
    alerts: pl.DataFrame, path: Path, about: About, *, gone: pl.DataFrame | None = None, recipient: str = ""
) -> None:
    """Write the workbook: the sheets « Liste », « Sorties » when companies left the list, and « Lisez-moi ».

    For a `recipient` the sheet « Liste » has the columns that an officer fills in, and the rest of it is protected.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties(
            {
                "title": f"Signaux Faibles, {list_name(about.month)}",
                "created": datetime(about.cutoff.year, about.cutoff.month, about.cutoff.day),  # noqa: DTZ001 - a day has no time zone
            }
        )
        headers = headers_of(alerts)
        sheet = _write_table(workbook, "Liste", alerts, headers, about, recipient=recipient)
        sheet.freeze_panes(1, 3)
        printed = [place for place, header in enumerate(headers) if header.column == LAST_PRINTED]
        sheet.print_area(0, 0, max(alerts.height, 1), printed[0] if printed else len(headers) - 1)
        if gone is not None and gone.height:
            _write_table(workbook, "Sorties", gone, DEPARTURES, about).freeze_panes(1, 0)
        _write_readme(workbook, about)


def _write_table(
    workbook: Any, name: str, rows: pl.DataFrame, headers: Sequence[Header], about: About, *, recipient: str = ""
) -> Any:
    """Write a sheet of one table. On paper it fits the width of A4 pages, each of which repeats titles and date of the data."""
    table = readable(rows, headers)
    formats: dict[Any, Any] = {header.title: _format_of(header) for header in headers}
    widths = {header.title: header.width for header in headers}
    heights: dict[int | tuple[int, ...], int] = {0: 2 * _ROW_PIXELS}
    heights |= dict(enumerate(_heights(table, headers), start=1))
    if recipient:
        table = with_answers(table, batch_key(about.month), recipient)
        formats, widths = formats | answer_formats(), widths | answer_widths()
    table.write_excel(
        workbook,
        worksheet=name,
        table_style="Table Style Light 9",
        column_formats=formats,
        column_widths={title: 7 * width + 5 for title, width in widths.items()},
        header_format={"text_wrap": True, "valign": "top", "bold": True, "bottom": 1},
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
    if recipient:
        guard_answers(sheet, table.columns, table.height)
    return sheet


def _format_of(header: Header) -> dict[str, Any]:
    # Numbers end where the text of the next column begins: the indent parts them.
    texts = {} if header.kind in {"integer", "percent"} else {"align": "left", "indent": 1}
    return {"num_format": _FORMATS[header.kind], "valign": "top", "text_wrap": header.kind == "sentence"} | texts


def _heights(table: pl.DataFrame, headers: Sequence[Header]) -> Iterator[int]:
    """Yield the height of each row in pixels: not every program makes room for the lines of a wrapped text by itself."""
    lines = [
        (pl.col(header.title).str.len_chars().fill_null(0) / (0.9 * (header.width - 1))).ceil()
        for header in headers
        if header.kind == "sentence"
    ]
    for count in table.select(pl.max_horizontal(*lines, 1).cast(pl.Int64)).to_series():
        yield _ROW_PIXELS * count


def _write_readme(workbook: Any, about: About) -> None:
    sheet = workbook.add_worksheet("Lisez-moi")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, _README_WIDTH)
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4)
    sheet.fit_to_pages(1, 0)
    formats = {
        "title": workbook.add_format({"bold": True, "font_size": 16}),
        "heading": workbook.add_format({"bold": True, "font_size": 12, "top": 1}),
        "text": workbook.add_format({"text_wrap": True, "valign": "top"}),
    }
    for row, (style, text) in enumerate(readme_lines(about)):
        lines = ceil(len(text) / _README_WIDTH) if style == "text" else 1
        sheet.set_row_pixels(row, (_ROW_PIXELS if style == "text" else 28) * max(lines, 1))
        sheet.write_string(row, 0, text, formats[style])
