"""Rows published after a cut-off, found and changed in staging tables: no feature of an earlier month may follow."""

from datetime import date

import duckdb

from sf_assets.sources.known import KNOWN, day_of
from sf_assets.staging.tables import STAGING
from sf_assets.vocabulary.delays import DELAYS

# Columns that a rewritten row preserves: they identify the company and the record.
_PRESERVED = {
    "siren", "siret", "nic", "debit_id", "id_demande", "id_annonce", "no_ocfi", "annee_exercice", "date_deb_exercice",
    "date_fin_exercice", "compte", "line", "file_number", "periode_debut", "periode_fin", "date_deb_tva", "date_fin_tva",
    # The register only has today's head office: a company without one is not followed at all.
    "siege",
}  # fmt: skip


def rewritten(name: str) -> str:
    """Return assignments that change every value of a staging table, except identifiers and the days from which it is known."""
    preserved = _PRESERVED | set(KNOWN[name].columns)
    ways = {"BOOLEAN": "not {0}", "VARCHAR": "reverse({0})", "DATE": "{0} + 90"}
    return ", ".join(
        f'"{column.name}" = ' + ways.get(column.type, "coalesce({0}, 1) * 3 + 1").format(f'"{column.name}"')
        for column in STAGING[name].columns
        if column.name not in preserved
    )


def split(connection: duckdb.DuckDBPyConnection, cutoff: date) -> None:
    """Store, for each source, the rows known after a cut-off in `after_<source>` and the others in `before_<source>`."""
    for name, known in KNOWN.items():
        # Sources without days are known from their delivery, which is after the cut-off.
        later = f"coalesce({day_of(name, DELAYS)} > date '{cutoff}', false)" if known.is_dated else "true"
        connection.execute(f"create table after_{name} as select rowid as row from stg_{name} where {later}")
        connection.execute(f"create table before_{name} as select rowid as row from stg_{name} where not ({later})")


def rewrite_later(connection: duckdb.DuckDBPyConnection) -> None:
    """Change the rows that `split` found after the cut-off: half are rewritten, some are duplicated, the others deleted."""
    for name in KNOWN:
        # Half of the later rows are rewritten, some are duplicated, and the other half is deleted.
        rows = f"rowid in (select row from after_{name} where row % 2 = 0)"
        if rewritten(name):
            connection.execute(f"update stg_{name} set {rewritten(name)} where {rows}")
        if not STAGING[name].key and name != "sirene":
            connection.execute(f"insert into stg_{name} from stg_{name} where {rows} and rowid % 3 = 0")
        if name != "sirene":
            connection.execute(
                f"delete from stg_{name} where rowid in (select row from after_{name} where row % 2 = 1)"
            )
