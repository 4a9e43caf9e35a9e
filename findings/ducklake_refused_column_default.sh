#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension ducklake 1.5.5 (d8a1881e): one refused statement, without any `begin`, leaves the connection
# in an aborted transaction.
#
# Expected: a statement outside of a transaction is one of its own, and its failure ends it. So it is for what DuckLake
# refuses otherwise: a primary key, an index, a sequence, a narrower type, a column that exists already.
# Seen: `alter table … add column … default current_timestamp` is refused, and from then on every statement fails, `select 1`
# included, with "Current transaction is aborted (please ROLLBACK)", until somebody rolls back what nobody began. A default of
# `1 + 1` does the same. The error that an operator sees is then that of a later statement, which is right. The message
# advises to add the column and to set its default afterwards, which is refused with the same message, and with the connection
# in order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from importlib.resources import files

import duckdb

folder = sys.argv[1]
connection = duckdb.connect(config={"autoinstall_known_extensions": False})
extension = files("duckdb_extension_ducklake") / "extensions" / f"v{duckdb.__version__}" / "ducklake.duckdb_extension"
connection.load_extension(str(extension))
connection.execute(f"attach 'ducklake:{folder}/catalog' as lake (data_path '{folder}/data/')")
connection.execute("use lake")
connection.execute("create table companies (siren varchar, debt bigint)")


def after(statement):
    """Return whether the statement is accepted, and the error of the statement after it, if any."""
    try:
        connection.execute(statement)
        accepted = True
    except duckdb.Error:
        accepted = False
    try:
        connection.execute("select 1")
    except duckdb.TransactionException as error:
        connection.execute("rollback")
        return accepted, str(error).partition(": ")[2]
    return accepted, None


ABORTED = "Current transaction is aborted (please ROLLBACK)"
SEEN = {
    "alter table companies add column added timestamp default current_timestamp": (False, ABORTED),
    "alter table companies add column two integer default (1 + 1)": (False, ABORTED),
    "alter table companies add column added timestamp": (True, None),
    "alter table companies alter added set default current_timestamp": (False, None),
    "alter table companies add column two integer default 2": (True, None),
    "alter table companies alter two set default (1 + 1)": (False, None),
    "alter table companies add column debt bigint": (False, None),
    "alter table companies alter debt type integer": (False, None),
    "alter table companies add primary key (siren)": (False, None),
    "create index by_siren on companies (siren)": (False, None),
    "create sequence numbers": (False, None),
}
changed = 0
for statement, seen in SEEN.items():
    accepted, error = found = after(statement)
    print(f"{statement:76} {'accepted' if accepted else 'refused'}, then {error}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
