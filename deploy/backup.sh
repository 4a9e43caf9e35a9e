#!/bin/bash
# Back up a deployment into a new folder: backup.sh <data folder> <backup folder>
#
# The catalog first: a file that it does not know is harmless, one that it names and that is not saved is lost. Maintenance and
# retention remove files: neither may run meanwhile. SF_CATALOG is read as the services read it; for PostgreSQL, pg_dump and the
# password file (PGPASSFILE) are needed.
set -euo pipefail
umask 077
[ $# -eq 2 ] || { echo "usage: backup.sh <data folder> <backup folder>" >&2; exit 2; }
data=$1 into=$2
[ -d "$data/warehouse" ] || { echo "$data: expected the data folder of a deployment, found no warehouse/ in it" >&2; exit 1; }
[ ! -e "$into" ] || { echo "$into: expected a new folder, found one" >&2; exit 1; }
mkdir -p "$into.part/warehouse"
case "${SF_CATALOG:-}" in
postgres:*) pg_dump --format=custom --no-owner --file="$into.part/warehouse/catalog.dump" --dbname="${SF_CATALOG#postgres:}" ;;
*) "${PYTHON:-python3}" - "$data/warehouse/catalog.sqlite" "$into.part/warehouse/catalog.sqlite" <<'P'
import sqlite3, sys
with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as source, sqlite3.connect(sys.argv[2]) as copy:
    source.backup(copy)
P
;;
esac
cp -a "$data/warehouse/tables" "$into.part/warehouse/tables"
for folder in incoming models lists published exports dagster; do
    [ ! -d "$data/$folder" ] || cp -a "$data/$folder" "$into.part/$folder"
done
(cd "$into.part" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
mv "$into.part" "$into"
echo "$into: $(wc -l < "$into/SHA256SUMS") files"
