#!/usr/bin/env bash
# DuckDB 1.5.5: a count of the lines of `read_csv(…, store_rejects = true)` rejects none of them, so that the number of rows
# and the number of rejects both deny what reading the columns would leave out; `ignore_errors` counts in the same way.
#
# Expected: lines that do not fit the declared columns are left out, whatever is asked, so that `count(*)` is the number of
# rows of `select *`, and `reject_errors` holds the others afterwards.
# Seen: a value is converted, and its line refused, only in a column that the query reads. Of four lines, with a wrong `siren`
# in one and a wrong `debt` in another, `select *` gives two, each column alone three, not the same ones, and `count(*)` four.
# After the count `reject_errors` is empty: whoever checks a delivery by its rows and rejects finds a perfect file. The page
# on faulty CSV files warns of projections, with one column of two; not of `count(*)`, which reads no column, nor of the table
# of rejects. A user's surprise and a maintainer's answer are in duckdb#16027.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

import duckdb

path = Path(sys.argv[1]) / "debts.csv"
path.write_text("siren;debt\nx;10\n2;y\n3;30\n4;40\n")
READ = f"read_csv('{path}', auto_detect = false, header = true, delim = ';', columns = {{'siren': 'INTEGER', 'debt': 'INTEGER'}}"


def ask(query):
    """Return the answer of the query, and the number of errors that it stored."""
    with duckdb.connect() as connection:
        rows = connection.execute(query.format(f"{READ}, store_rejects = true)")).fetchall()
        ((errors,),) = connection.execute("select count(*) from reject_errors").fetchall()
        ignored = connection.execute(query.format(f"{READ}, ignore_errors = true)")).fetchall()
        return rows, errors, ignored == rows


SEEN = {
    "select siren, debt from {}": ([(3, 30), (4, 40)], 2, True),
    "select siren from {}": ([(2,), (3,), (4,)], 1, True),
    "select debt from {}": ([(10,), (30,), (40,)], 1, True),
    "select sum(debt) from {}": ([(80,)], 1, True),
    "select count(*) from {}": ([(4,)], 0, True),
}
changed = 0
for query, seen in SEEN.items():
    found = ask(query)
    print(f"{query.format('…'):30} {found[0]}, {found[1]} rejects{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
