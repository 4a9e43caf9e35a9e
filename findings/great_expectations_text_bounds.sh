#!/usr/bin/env bash
# Great Expectations 1.24.1 (pandas 3.1.1, SQLAlchemy 2.1.9): a bound given as text is a number or a date if it can be read as
# one, and its leading zeros are lost.
#
# Expected: `min_value="005880596"` either bounds a column of nine-digit identifiers as text does, by order of characters, or
# is refused when the expectation is made, as `min_value="2A004"` is.
# Seen: the expectation holds 5880596.0, and "2024-01-01" is a date. The text column then cannot be compared: the result is a
# failed check without a row, with an error inside. While the column is empty or unknown the check passes, so that the rule
# looks right until the first row comes. `ExpectColumnValuesToBeInSet` keeps its texts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check great-expectations==1.24.1 pandas==3.1.1 SQLAlchemy==2.1.9
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging
import sys

import great_expectations as gx
import pandas as pd

logging.disable(logging.CRITICAL)
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
frames = context.data_sources.add_pandas("pandas").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
Between = gx.expectations.ExpectColumnValuesToBeBetween


def bound(text):
    try:
        return repr(Between(column="siren", min_value=text).min_value)
    except ValueError:
        return "refused"


def judge(values, low):
    """Return whether the values are accepted, and whether an error hides in the result."""
    batch = frames.get_batch({"dataframe": pd.DataFrame({"siren": pd.Series(values, dtype=str)})})
    result = batch.validate(Between(column="siren", min_value=low))
    return result.success, any(info["raised_exception"] for info in [*result.exception_info.values()] if isinstance(info, dict))


answers = {
    "bound of '005880596'": bound("005880596"),
    "bound of '2024-01-01'": bound("2024-01-01"),
    "bound of '2A004'": bound("2A004"),
    "a row": judge(["105880596"], "005880596"),
    "no row": judge([], "005880596"),
    "unknown rows": judge([None, None], "005880596"),
    "in the set of '005880596'": repr(gx.expectations.ExpectColumnValuesToBeInSet(column="siren", value_set=["005880596"]).value_set),
}
SEEN = {
    "bound of '005880596'": "5880596.0",
    "bound of '2024-01-01'": "datetime.date(2024, 1, 1)",
    "bound of '2A004'": "refused",
    "a row": (False, True),
    "no row": (True, False),
    "unknown rows": (True, False),
    "in the set of '005880596'": "['005880596']",
}
for question, answer in answers.items():
    print(f"{question:28} {answer}{'' if answer == SEEN[question] else f'   CHANGED, was {SEEN[question]}'}")
sys.exit(answers != SEEN)
PYTHON
