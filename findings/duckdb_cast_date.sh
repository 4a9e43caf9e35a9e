#!/bin/sh
# DuckDB 1.5.5 (Python 3.11 to 3.13): the cast of a text to a date takes whatever follows a one-digit day, and says nothing.
#
#   try_cast('2024-02-1O' as date)      2024-02-01    a letter O for a zero: the day is not unknown but another one
#   try_cast('2024-12-3l' as date)      2024-12-03    a letter l for a one
#   try_cast('2024-02-1' || chr(233) as date)  2024-02-01
#   try_cast('epoch' as date)           1970-01-01
#   try_cast('0000-01-01' as date)      0001-01-01 (BC), which Python's date cannot hold
#   try_cast('2024-02-1OO' as date)     2024-02-01
#   try_cast('2024-02-10O' as date)     2024-02-10
#   try_cast('2024-O2-10' as date)      NULL, as expected
#
# and of the casts of a text to a number:
#
#   try_cast('1e3' as integer)          1000
#   try_cast('0x10' as integer)         16
#   try_cast('1.5' as integer)          2
#   try_cast('1_000' as integer)        1000
#   try_cast('nan' as double)           nan
#
# Installs the public package in a temporary folder and asks it; exits 1 when an answer changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import duckdb

SEEN = {
    "try_cast('2024-02-1O' as date)": "2024-02-01",
    "try_cast('2024-12-3l' as date)": "2024-12-03",
    "try_cast('2024-02-1' || chr(233) as date)": "2024-02-01",
    "try_cast('epoch' as date)": "1970-01-01",
    "try_cast('0000-01-01' as date)": "0001-01-01 (BC)",
    "try_cast('2024-02-1OO' as date)": "2024-02-01",
    "try_cast('2024-02-10O' as date)": "2024-02-10",
    "try_cast('2024-O2-10' as date)": None,
    "try_cast('1e3' as integer)": "1000",
    "try_cast('0x10' as integer)": "16",
    "try_cast('1.5' as integer)": "2",
    "try_cast('1_000' as integer)": "1000",
    "try_cast('nan' as double)": "nan",
}
changed = 0
for expression, seen in SEEN.items():
    ((found,),) = duckdb.sql(f"select cast({expression} as varchar)").fetchall()
    print(f"{expression:45} {found}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
print(f"duckdb {duckdb.__version__}, {changed} of {len(SEEN)} answers changed")
sys.exit(bool(changed))
PYTHON
