#!/usr/bin/env bash
# Dagster 1.13.27: across an excluded month, "the month before" is two months, or none.
#
# Expected: `TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)` gives one partition, the month before, on monthly
# assets whatever their exclusions; where that month does not exist, an error or a report of missing partitions.
# Seen: the offset counts windows of the downstream definition, and a window lasts until the next partition. Downstream
# without March, April reads February *and* March of an upstream that has both: a figure of the last month becomes one of two.
# An upstream without March gives April of a complete downstream nothing to read: its step runs with no partition, and
# `required_but_nonexistent_subset`, which reports other missing partitions, is empty. The mapping's docstring says that
# offsets are in units of the downstream and nothing of exclusions; that an excluded window is merged into the one before is
# in dagster#30101.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dagster==1.13.27
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging
import sys
from datetime import datetime

import dagster as dg

logging.disable(logging.CRITICAL)
SPAN = {"start_date": "2024-01-01", "end_date": "2024-08-01"}
COMPLETE = dg.MonthlyPartitionsDefinition(**SPAN)
WITHOUT_MARCH = dg.MonthlyPartitionsDefinition(**SPAN, exclusions=[datetime(2024, 3, 1)])
BEFORE = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)


def read_by(month, upstream, downstream):
    """Return the partitions that the step of a month reads, as its context gives them."""
    read = []

    @dg.asset(partitions_def=upstream)
    def debts() -> None: ...

    @dg.asset(partitions_def=downstream, deps=[dg.AssetDep(debts, partition_mapping=BEFORE)])
    def change(context: dg.AssetExecutionContext) -> None:
        read.extend(context.asset_partition_keys_for_input("debts"))

    assert dg.materialize([debts, change], selection=[change], partition_key=month).success
    return read


SEEN = {
    ("2024-04-01", COMPLETE, COMPLETE): ["2024-03-01"],
    ("2024-04-01", COMPLETE, WITHOUT_MARCH): ["2024-02-01", "2024-03-01"],
    ("2024-05-01", COMPLETE, WITHOUT_MARCH): ["2024-04-01"],
    ("2024-04-01", WITHOUT_MARCH, COMPLETE): [],
    ("2024-04-01", WITHOUT_MARCH, WITHOUT_MARCH): ["2024-02-01"],
}
changed = 0
for (month, *definitions), seen in SEEN.items():
    found = read_by(month, *definitions)
    names = " of ".join("complete" if definition is COMPLETE else "without March" for definition in reversed(definitions))
    print(f"{month} {names:32} reads {found}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
