#!/usr/bin/env bash
# Great Expectations 1.24.1 (pandas 3.1.1, SQLAlchemy 2.1.9): the half quantile of one column is three numbers: 3, 2 or 2.5.
#
# Expected: the quantile 0.5 of `ExpectColumnQuantileValuesToBeBetween` is the median of `ExpectColumnMedianToBeBetween`, and
# both are the same whether the rows are a pandas frame or a SQL table.
# Seen: of 1, 2, 3, 4 the median is 2.5 on both. The half quantile is 3 on pandas, where an unset `allow_relative_error` means
# the nearest of two values, and 2 on SQL, which takes the value whose rank is below; the lower quartile is 2 and 1. A bound
# fitted on a frame of a few months then fails on the table of the same rows, or passes what it should refuse.
# `allow_relative_error="linear"` makes it 2.5 on pandas, and SQL ignores the word without saying so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check great-expectations==1.24.1 pandas==3.1.1 SQLAlchemy==2.1.9
"$folder/venv/bin/python" -W ignore - "$folder" <<'PYTHON'
import logging
import sqlite3
import sys

import great_expectations as gx
import pandas as pd

logging.disable(logging.CRITICAL)
ROWS = pd.DataFrame({"staff": [1, 2, 3, 4]})
path = f"{sys.argv[1]}/rows.sqlite"
with sqlite3.connect(path) as database:
    ROWS.to_sql("companies", database, index=False)
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
frame = context.data_sources.add_pandas("pandas").add_dataframe_asset("companies")
table = context.data_sources.add_sqlite("sqlite", connection_string=f"sqlite:///{path}").add_table_asset("all", table_name="companies")
BATCHES = {
    "pandas": frame.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": ROWS}),
    "sqlite": table.add_batch_definition_whole_table("all").get_batch(),
}


def observed(batch, quantile, **options):
    ranges = {"quantiles": [quantile], "value_ranges": [[0, 9]]}
    expectation = gx.expectations.ExpectColumnQuantileValuesToBeBetween(column="staff", quantile_ranges=ranges, **options)
    return float(batch.validate(expectation).result["observed_value"]["values"][0])


def median(batch):
    return float(batch.validate(gx.expectations.ExpectColumnMedianToBeBetween(column="staff")).result["observed_value"])


SEEN = {
    "pandas": {"median": 2.5, "half": 3.0, "quarter": 2.0, "linear half": 2.5},
    "sqlite": {"median": 2.5, "half": 2.0, "quarter": 1.0, "linear half": 2.0},
}
changed = 0
for engine, batch in BATCHES.items():
    found = {
        "median": median(batch),
        "half": observed(batch, 0.5),
        "quarter": observed(batch, 0.25),
        "linear half": observed(batch, 0.5, allow_relative_error="linear"),
    }
    print(f"{engine}: {found}{'' if found == SEEN[engine] else f'   CHANGED, was {SEEN[engine]}'}")
    changed += found != SEEN[engine]
sys.exit(bool(changed))
PYTHON
