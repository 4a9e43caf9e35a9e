#!/usr/bin/env bash
# DuckDB 1.5.5, polars 2.1.0, pyarrow 26.0.1: a share that polars computes from two sums of DuckDB is a whole number, mostly
# 0.
#
# Expected: `count(*)`, `sum(…)` and `count_if(…)` of whole numbers are whole numbers, and in both engines `/` of whole
# numbers is a true division, so that one failure in three companies is 0.333 wherever it is divided.
# Seen: `count(*)` is a BIGINT and arrives as Int64, but `sum` and `count_if` of integers are HUGEINTs, which Arrow carries as
# Decimal(38, 0). Polars keeps the scale of a decimal when it divides, here none: 1 / 3 is 0, 2 / 3 is 1, and the column has
# no NULL and no warning. The same two values taken out of the frame are Python decimals, and their quotient is 0.333….
# Divided in DuckDB, or after `sum(…)::bigint` or `.cast(pl.Float64)`, the share is right. Polars discusses the scale of
# quotients in polars#19784; the meeting of the two is described by neither.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5 polars==2.1.0 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import duckdb
import polars as pl

QUERY = """
    select
        sum(failed){cast} as failures, count_if(failed = 0){cast} as others, count(*) as companies,
        sum(failed) / count(*) as share
    from (values (1), (0), (0)) as companies (failed)
"""
SHARES = {"failures": pl.col("failures") / pl.col("companies"), "others": pl.col("others") / pl.col("companies")}
sums, bigints = (duckdb.sql(QUERY.format(cast=cast)).pl() for cast in ("", "::bigint"))
row = sums.row(0, named=True)
answers = {
    "types": [str(kind) for kind in sums.select("failures", "others", "companies").dtypes],
    "shares in DuckDB": round(row["share"], 3),
    "shares in polars": [float(share) for share in sums.select(**SHARES).row(0)],
    "shares in polars of bigints": [round(share, 3) for share in bigints.select(**SHARES).row(0)],
    "share of the two values in Python": round(float(row["failures"] / row["companies"]), 3),
}
SEEN = {
    "types": ["Decimal(precision=38, scale=0)", "Decimal(precision=38, scale=0)", "Int64"],
    "shares in DuckDB": 0.333,
    "shares in polars": [0.0, 1.0],
    "shares in polars of bigints": [0.333, 0.667],
    "share of the two values in Python": 0.333,
}
for question, answer in answers.items():
    print(f"{question:35} {answer}{'' if answer == SEEN[question] else f'   CHANGED, was {SEEN[question]}'}")
sys.exit(answers != SEEN)
PYTHON
