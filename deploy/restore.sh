#!/bin/bash
# Restore a backup into a new folder, after a comparison of every file with its checksum: restore.sh <backup folder> <data folder>
#
# With SF_CATALOG=postgres:<libpq string>, the catalog goes into that database, which must be empty. Try it twice a year beside
# the deployment, in another folder and another database: `sf status` there must say what it says here.
set -euo pipefail
umask 077
[ $# -eq 2 ] || { echo "usage: restore.sh <backup folder> <data folder>" >&2; exit 2; }
from=$1 data=$2
[ ! -e "$data" ] || { echo "$data: expected a new folder, found one" >&2; exit 1; }
(cd "$from" && sha256sum --check --quiet SHA256SUMS) || { echo "$from: damaged or incomplete, nothing was restored" >&2; exit 1; }
cp -a "$from" "$data.part"
rm "$data.part/SHA256SUMS"
tables=$(realpath -m "$data")/warehouse/tables/
if [ -f "$from/warehouse/catalog.dump" ]; then
    case "${SF_CATALOG:-}" in
    postgres:*) database=${SF_CATALOG#postgres:} ;;
    *) echo "SF_CATALOG: expected postgres:<libpq string> of an empty database, as the backup is of PostgreSQL" >&2; exit 1 ;;
    esac
    pg_restore --no-owner --exit-on-error --single-transaction --dbname="$database" "$data.part/warehouse/catalog.dump"
    # The catalog stores where its files are.
    psql --quiet --dbname="$database" --set=ON_ERROR_STOP=1 --set=tables="$tables" <<'S'
update ducklake_metadata set value = :'tables' where key = 'data_path';
S
    rm "$data.part/warehouse/catalog.dump"
fi
mv "$data.part" "$data"
echo "$data: restored"
