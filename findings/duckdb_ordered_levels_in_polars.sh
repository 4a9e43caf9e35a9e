#!/usr/bin/env bash
# DuckDB 1.5.5, polars 2.1.0, pyarrow 26.0.1: ordered levels lose their order between the two engines, both ways, and keep
# their names.
#
# Expected: both engines have an enumerated type ordered as it is declared, and Arrow between them has dictionaries with a
# flag for order. With the levels faible, modere, fort, the highest is fort and a sort ends with it, in either engine.
# Seen: each engine alone is right. A polars Enum is VARCHAR in DuckDB, and an ENUM of DuckDB is a Categorical in polars 2,
# which sorts by letters: after either crossing the highest level is modere and the order faible, fort, modere. No value
# changes and nothing warns, so that `max` of the levels of a company just gives a lower one. Numbers for levels, or a cast to
# the declared type after each crossing, keep the order. That the types change is known (duckdb#15236, polars#14709), that the
# order goes with them less.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5 polars==2.1.0 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import duckdb
import polars as pl

LEVELS = ["faible", "modere", "fort"]
connection = duckdb.connect()
connection.execute(f"create type level as enum ({', '.join(map(repr, LEVELS))})")
connection.execute(f"create table stored as select unnest({LEVELS})::level as level")
frame = pl.DataFrame({"level": pl.Series(LEVELS, dtype=pl.Enum(LEVELS))})
arrived = connection.table("stored").pl()


def in_duckdb(name):
    ((kind, highest),) = connection.execute(f"select typeof(any_value(level)), max(level) from {name}").fetchall()
    return kind, highest, [level for (level,) in connection.execute(f"select level from {name} order by level").fetchall()]


def in_polars(rows):
    return str(rows.schema["level"]), rows["level"].max(), rows.sort("level")["level"].to_list()


RIGHT = ("fort", ["faible", "modere", "fort"])
LETTERS = ("modere", ["faible", "fort", "modere"])
SEEN = {
    "DuckDB": (in_duckdb("stored"), ("ENUM('faible', 'modere', 'fort')", *RIGHT)),
    "polars": (in_polars(frame), ("Enum(categories=['faible', 'modere', 'fort'])", *RIGHT)),
    "polars to DuckDB": (in_duckdb("frame"), ("VARCHAR", *LETTERS)),
    "DuckDB to polars": (in_polars(arrived), ("Categorical", *LETTERS)),
    "DuckDB to polars, cast": (in_polars(arrived.cast(pl.Enum(LEVELS))), ("Enum(categories=['faible', 'modere', 'fort'])", *RIGHT)),
}
changed = 0
for way, (found, seen) in SEEN.items():
    print(f"{way:24} {found}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
