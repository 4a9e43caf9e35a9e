#!/bin/sh
# LibreOffice 7.4.7 (Debian 12, package libreoffice-calc), workbooks of XlsxWriter 3.3.1: a sheet that is fitted to one page in
# width is not made smaller when a single column is wider than the paper. What is right of the paper is not printed anywhere.
#
#   two columns of 75 characters   letters 8.3 points high instead of 14.3: scaled, as asked
#   one column of 150 characters   letters 14.3 points high: not scaled, one page, its right part is cut
#
# Both files ask for the same (fitToPage, one page in width). A sheet of texts, which has one column, must be narrower than its paper.
#
# Needs soffice and pdftotext (Debian packages libreoffice-calc and poppler-utils, installed here when absent and allowed).
# Installs the public package in a temporary folder; exits 1 when the behaviour changes.
set -eu
command -v soffice > /dev/null && command -v pdftotext > /dev/null \
  || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libreoffice-calc poppler-utils > /dev/null; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xlsxwriter==3.3.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import xlsxwriter

for name, widths in {"one": [150], "two": [75, 75]}.items():
    with xlsxwriter.Workbook(f"{name}.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        for place, width in enumerate(widths):
            sheet.set_column(place, place, width)
            sheet.write(0, place, "texte")
PYTHON
for name in one two; do
  soffice "-env:UserInstallation=file://$folder/profile" --headless --convert-to pdf "$name.xlsx" > /dev/null 2>&1
  pdftotext -bbox "$name.pdf" "$name.html"
done
"$folder/venv/bin/python" - <<'PYTHON'
import re
import sys
from pathlib import Path


def height(name: str) -> float:
    top, bottom = re.search(r'yMin="([\d.]+)".*?yMax="([\d.]+)"', Path(f"{name}.html").read_text()).groups()
    return float(bottom) - float(top)


one, two = height("one"), height("two")
print(f"letters of one column {one:.1f} points high, of two columns of the same width {two:.1f}")
sys.exit(not one > 1.5 * two)
PYTHON
soffice --version
