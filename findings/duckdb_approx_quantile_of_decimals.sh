#!/usr/bin/env bash
# DuckDB 1.5.5: `approx_quantile` of a DECIMAL is a whole number when it is asked for one quantile, and right when asked for a
# list.
#
# Expected: the approximate median of ratios such as 0.37 is near their median, in their type or as a DOUBLE, and is what the
# list of one median holds.
# Seen: for one quantile the decimals are rounded to integers before they are counted. The approximate median of 0.00, 0.01 …
# 0.99 is 0 and its ninth decile 1; the result is a SMALLINT for DECIMAL(4, 2), an INTEGER for DECIMAL(9, 2), a BIGINT for
# DECIMAL(18, 2). A list of quantiles is a list of decimals, about 0.10 and 0.89 for the deciles. `approx_quantile(x::double,
# …)` and `quantile_cont` are right too. The like fault of `reservoir_quantile` is duckdb#24189.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import duckdb

SEEN = {
    "typeof(approx_quantile(x::decimal(4, 2), 0.5))": "SMALLINT",
    "typeof(approx_quantile(x::decimal(9, 2), 0.5))": "INTEGER",
    "typeof(approx_quantile(x::decimal(18, 2), 0.5))": "BIGINT",
    "typeof(approx_quantile(x::decimal(9, 2), [0.5]))": "DECIMAL(9,2)[]",
    "approx_quantile(x::decimal(9, 2), 0.5)": "0",
    "approx_quantile(x::decimal(9, 2), 0.9)": "1",
    "approx_quantile(x::decimal(9, 2), [0.5])[1] between 0.48 and 0.51": "true",
    "approx_quantile(x::decimal(9, 2), [0.9])[1] between 0.88 and 0.91": "true",
    "approx_quantile(x::double, 0.9) between 0.88 and 0.91": "true",
    "quantile_cont(x::decimal(9, 2), 0.5)": "0.49",
}
changed = 0
for expression, seen in SEEN.items():
    query = f"select cast({expression} as varchar) from (select i / 100 as x from range(100) as r(i))"
    ((found,),) = duckdb.sql(query).fetchall()
    print(f"{expression:66} {found}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
