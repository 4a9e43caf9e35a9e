#!/usr/bin/env bash
# DuckDB 1.5.5: the `rowid` of a table made within an open transaction starts at 36028797018960000 (2^55 and a few thousand),
# not at 0, and the same statement outside of a transaction starts at 0.
#
# Expected: `create temp table t as select …` numbers its rows 0, 1, 2 … whether a transaction is open or not, so that
# `delete from t where rowid < 1` removes the first row.
# Seen: autocommit gives [0, 1, 2]; between `begin` and `commit` [36028797018960000, …01, …02], where the delete removes
# nothing. After the commit the same rows are 0, 1, 2. A line number made of `rowid + 1` is then right or absurd depending on
# who opened a transaction before: take `rowid - min(rowid)`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import duckdb

MAKE = "create or replace temp table t as select 'line ' || i as raw from range(3) r(i)"
ROWS = "select rowid from t order by rowid"
connection = duckdb.connect()
connection.execute(MAKE)
outside = [row for (row,) in connection.execute(ROWS).fetchall()]
connection.execute("begin")
connection.execute(MAKE)
inside = [row for (row,) in connection.execute(ROWS).fetchall()]
connection.execute("delete from t where rowid < 1")
(left,) = connection.execute("select count(*) from t").fetchone()
connection.execute("commit")
after = [row for (row,) in connection.execute(ROWS).fetchall()]
print(f"autocommit {outside}, in a transaction {inside}, rows left of 3 by `delete … where rowid < 1`: {left}, after commit {after}")
as_seen = outside == [0, 1, 2] and inside[0] > 2**54 and left == 3 and after == [0, 1, 2]
sys.exit(0 if as_seen else 1)
PYTHON
