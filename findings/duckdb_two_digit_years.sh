#!/usr/bin/env bash
# DuckDB 1.5.5: the sniffer of CSV files reads a day first when years have four digits, and a year first when they have two.
#
# Expected: of `30/06/2024` and `30/06/24`, which a French spreadsheet writes for one day, the same date, or an ambiguity left
# as text. No month comes first in `13/02/24`, and no producer writes a year of two digits before slashes.
# Seen: `30/06/2024` is 30 June 2024. `30/06/24` is 24 June 2030, typed DATE without a warning: day and year change places, so
# that days become years from 2001 to 2031 and every year a day. A file is read rightly only when a sampled year is no day of
# a month: one `31/12/99` or `30/06/32` turns the whole column around. The page on auto-detection lists its preferences,
# `%y-%m-%d` right after ISO 8601, without saying that slashes and points count as dashes, or what becomes of a day before a
# year of two digits. `dateformat = '%d/%m/%y'`, or types declared with `auto_detect = false`, avoid it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

import duckdb

path = Path(sys.argv[1]) / "closings.csv"
SEEN = {
    ("30/06/2024", "13/02/2024"): ["2024-06-30", "2024-02-13"],
    ("30/06/24", "13/02/24"): ["2030-06-24", "2013-02-24"],
    ("30-06-24", "13-02-24"): ["2030-06-24", "2013-02-24"],
    ("30.06.24", "01.02.24"): ["2030-06-24", "2001-02-24"],
    ("30/06/24", "31/12/99"): ["2024-06-30", "1999-12-31"],
    ("30/06/24", "30/06/32"): ["2024-06-30", "2032-06-30"],
}
changed = 0
for written, seen in SEEN.items():
    path.write_text("closing;siren\n" + "".join(f"{day};a\n" for day in written))
    rows = duckdb.execute("select typeof(closing), closing::varchar from read_csv($path)", {"path": str(path)}).fetchall()
    found = [text for kind, text in rows if kind == "DATE"]
    print(f"{', '.join(written):25} {', '.join(found)}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
