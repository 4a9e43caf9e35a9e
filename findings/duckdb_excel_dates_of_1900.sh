#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension excel 1.5.5, XlsxWriter 3.3.1: before March 1900 DuckDB reads and writes a workbook's dates
# one day off.
#
# Expected: serial number 1 is 1 January 1900. Workbooks count a 29 February 1900 that never was, as the format prescribes,
# and libraries correct for it. The first of these days matters, since registers write 1900-01-01 for an unknown date.
# Seen: DuckDB counts from 30 December 1899 throughout. A cell of 1900-01-01 that XlsxWriter wrote is read as 1899-12-31, and
# the date 1900-01-01 that DuckDB writes is number 2, which openpyxl shows as 2 January: a comparison with the placeholder
# finds no unknown date. DuckDB reads back what it wrote, so that a round trip shows nothing, and from 1 March 1900 on all
# agree. The extension's page says that it writes the days since 1900-01-01. Other libraries repaired the same (readxl#292,
# writexl#110).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    duckdb==1.5.5 duckdb-extension-excel==1.5.5 XlsxWriter==3.3.1 openpyxl==3.1.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from datetime import date
from importlib.resources import files

import duckdb
import openpyxl
import xlsxwriter

WRITTEN, COPIED = f"{sys.argv[1]}/xlsxwriter.xlsx", f"{sys.argv[1]}/duckdb.xlsx"
DAYS = [date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1), date(2024, 2, 29)]
connection = duckdb.connect(config={"autoinstall_known_extensions": False})
extension = files("duckdb_extension_excel") / "extensions" / f"v{duckdb.__version__}" / "excel.duckdb_extension"
connection.load_extension(str(extension))


def by_duckdb(path):
    return [str(day) for (day,) in connection.execute("from read_xlsx($path, header = true)", {"path": path}).fetchall()]


def by_openpyxl(path):
    sheet = openpyxl.load_workbook(path).active
    return [str(day.date()) for (day,) in sheet.iter_rows(min_row=2, values_only=True)]


with xlsxwriter.Workbook(WRITTEN) as workbook:
    sheet = workbook.add_worksheet()
    sheet.write(0, 0, "day")
    for place, day in enumerate(DAYS, start=1):
        sheet.write_datetime(place, 0, day, workbook.add_format({"num_format": "yyyy-mm-dd"}))
rows = ", ".join(f"(date '{day}')" for day in DAYS)
connection.execute(f"copy (select * from (values {rows}) as t (day)) to '{COPIED}' (format xlsx, header true)")
later = ["1900-03-01", "2024-02-29"]
SEEN = {
    "XlsxWriter to openpyxl": (by_openpyxl(WRITTEN), ["1900-01-01", "1900-02-28", *later]),
    "XlsxWriter to DuckDB": (by_duckdb(WRITTEN), ["1899-12-31", "1900-02-27", *later]),
    "DuckDB to DuckDB": (by_duckdb(COPIED), ["1900-01-01", "1900-02-28", *later]),
    "DuckDB to openpyxl, but the day that never was": (by_openpyxl(COPIED)[::2] + by_openpyxl(COPIED)[3:], ["1900-01-02", *later]),
}
changed = 0
for way, (found, seen) in SEEN.items():
    print(f"{way:48} {found}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
