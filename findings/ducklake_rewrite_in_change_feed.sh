#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension ducklake 1.5.5 (d8a1881e): rewriting files, which changes no value, is an update of every
# row that it moves, in the change feed and in the column `snapshot_id`.
#
# Expected: `ducklake_rewrite_data_files` is maintenance. It writes a file without its deleted rows, as
# `ducklake_merge_adjacent_files` writes two files as one; neither is a change of data, `snapshots()` calls them
# `rewrite_delete` and `merge_adjacent`, and a consumer of `table_changes` sees neither.
# Seen: after a merge, rows keep the snapshot that inserted them and the feed of the merge is empty. After a rewrite, the rows
# of the file bear the snapshot of the rewrite, and the feed of that snapshot reports each of them as `update_preimage` and
# `update_postimage`, with equal values and the same `rowid`. A copy that follows the feed is loaded again for nothing, and
# whoever reads from `snapshot_id` when a row was last written believes that it was written by the maintenance. `checkpoint`
# rewrites too. The page of the data change feed does not speak of maintenance.
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
connection.execute(f"attach 'ducklake:{folder}/catalog' as lake (data_path '{folder}/data/', data_inlining_row_limit 0)")
connection.execute("use lake")


def rows():
    query = "select snapshot_id, count(*) from companies group by all order by all"
    return connection.execute(query).fetchall()


def last_changes():
    ((last,),) = connection.execute("select max(snapshot_id) from lake.snapshots()").fetchall()
    query = "select change_type, count(*) from lake.table_changes('companies', $last, $last) group by all order by all"
    return connection.execute(query, {"last": last}).fetchall()


connection.execute("create table companies (siren varchar, debt integer)")
connection.execute("insert into companies select 'a' || i, i from range(60) as r(i)")
connection.execute("insert into companies select 'b' || i, i from range(40) as r(i)")
answers = {"inserted": rows()}
connection.execute("call ducklake_merge_adjacent_files('lake')")
answers |= {"merged": rows(), "feed of the merge": last_changes()}
connection.execute("delete from companies where siren like 'a%' or debt < 39")
values = connection.execute("select siren, debt from companies").fetchall()
connection.execute("call ducklake_rewrite_data_files('lake', 'companies', delete_threshold => 0.1)")
answers |= {"rewritten": rows(), "feed of the rewrite": last_changes()}
((answers["rows in the feed"],),) = connection.execute(
    "select count(distinct (rowid, siren, debt)) from lake.table_changes('companies', 6, 6)"
).fetchall()
answers["values unchanged"] = values == connection.execute("select siren, debt from companies").fetchall()
SEEN = {
    "inserted": [(2, 60), (3, 40)],
    "merged": [(2, 60), (3, 40)],
    "feed of the merge": [],
    "rewritten": [(6, 1)],
    "feed of the rewrite": [("update_postimage", 1), ("update_preimage", 1)],
    "rows in the feed": 1,
    "values unchanged": True,
}
for question, answer in answers.items():
    print(f"{question:20} {answer}{'' if answer == SEEN[question] else f'   CHANGED, was {SEEN[question]}'}")
sys.exit(answers != SEEN)
PYTHON
