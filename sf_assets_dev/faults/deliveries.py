"""Faults of delivered files, each with the check that must fail first."""

import polars as pl

from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.faults import rewriting
from sf_assets_dev.faults.description import Delivered, FileFault
from sf_assets_dev.faults.rewriting import of_columns, of_rows, renamed, replaced

DEBIT, COTISATION, DELAI = "sigfaible_debits.csv", "sigfaible_cotisdues.csv.gz", "sigfaible_delais.csv"
EFFECTIF, EFFECTIF_ENT, PROCOL = "sigfaible_effectif_siret.csv", "sigfaible_effectif_siren.csv", "sigfaible_pcoll.csv"
SIRENE, SIRENE_UL = "StockEtablissement_utf8_geo.csv", "sireneUL.csv"

_AMOUNTS = ("Mt_PO", "Mt_PP")


def _without_quarter(rows: pl.DataFrame, delivered: Delivered) -> pl.DataFrame:
    """Remove the procedure events of the last three months, the batch's included."""
    day = pl.col("Dt_effet").str.to_date("%d%b%Y")
    return rows.filter(day < add_months(delivered.month, -2))


def _without_period(places: int) -> rewriting.Rewrite:
    """Remove the contributions of one month: the newest, or the month `places` before it."""

    def change(rows: pl.DataFrame, _: Delivered) -> pl.DataFrame:
        periods = rows["periode"].unique().sort()
        return rows.filter(pl.col("periode") != periods[-1 - places])

    return of_rows(";", change)


def _without_department(separator: str, department: pl.Expr) -> rewriting.Rewrite:
    """Remove the rows of the largest department."""

    def change(rows: pl.DataFrame, _: Delivered) -> pl.DataFrame:
        largest = rows.select(department.value_counts(sort=True).struct.field("departement").first()).item()
        return rows.filter(department != largest)

    return of_rows(separator, change)


def _heads(column: pl.Expr) -> pl.Expr:
    """Return head-counts divided by two; empty cells stay empty."""
    return (column.cast(pl.Int64, strict=False) // 2).cast(pl.String).fill_null("")


def _month_at_zero(rows: pl.DataFrame, _: Delivered) -> pl.DataFrame:
    """Set every head-count to 0 in the sixth month from the end."""
    name = [column for column in rows.columns if column.startswith("eff")][-6]
    return rows.with_columns(pl.lit("0").alias(name))


def _companies_twice(rows: pl.DataFrame, _: Delivered) -> pl.DataFrame:
    """Add a copy of each company under another siren."""
    other = rows.with_columns(pl.col("siren").str.reverse())
    return pl.concat([rows, other]).unique("siren", maintain_order=True)


def _first_again(share: int, change: pl.Expr) -> rewriting.Rewrite:
    """Append a changed copy of one row in `share`."""
    return of_rows(",", lambda rows, _: pl.concat([rows, rows.gather_every(share).with_columns(change)]))


def _shifted(separator: str, years: int, *names: str) -> rewriting.Rewrite:
    """Shift ISO dates by a number of years."""
    day = pl.col(*names).str.to_date("%Y-%m-%d", strict=False).dt.offset_by(f"{years}y")
    return of_columns(separator, day.dt.to_string("%Y-%m-%d").fill_null(""))


FAULTS = (
    FileFault(
        "last_month_again", "last month's debts delivered again", DEBIT, rewriting.last_month, "src_debit", "new"
    ),
    FileFault(
        "cut_archive", "an archive cut in the middle", COTISATION, rewriting.cut, "src_cotisation", "as_promised",
        compressed=True,
    ),
    FileFault("cut_text", "a text file cut in the middle", PROCOL, rewriting.cut, "src_procol", "lines_like_before"),
    FileFault(
        "half_the_rows", "one row in two missing", EFFECTIF, rewriting.every_other_row, "src_effectif", "lines_like_before"
    ),
    FileFault(
        "column_renamed", "a column under another name", DEBIT, renamed({"Mt_PO": "Montant_PO"}), "src_debit", "as_promised"
    ),
    FileFault(
        "column_dropped", "a column missing", DELAI, of_rows(";", lambda rows, _: rows.drop("Date_echeance")), "src_delai",
        "as_promised",
    ),
    FileFault(
        "columns_swapped", "the columns of workers' and employers' shares swapped", DEBIT,
        renamed(dict(zip(_AMOUNTS, reversed(_AMOUNTS), strict=True))), "stg_debit", "worker_share_like_before",
    ),
    FileFault("separator_changed", "commas instead of semicolons", EFFECTIF, replaced(b";", b","), "src_effectif",
              "as_promised"),
    FileFault("encoding_changed", "Latin-1 instead of UTF-8", SIRENE, rewriting.in_latin_1, "src_sirene", "as_promised"),
    FileFault(
        "debts_in_euros", "debts in euros instead of cents", DEBIT,
        of_columns(";", (pl.col(*_AMOUNTS).cast(pl.Int64) // 100).cast(pl.String)), "stg_debit", "debts_like_before",
    ),
    FileFault(
        "debts_times_hundred", "debts multiplied by a hundred", DEBIT,
        of_columns(";", (pl.col(*_AMOUNTS).cast(pl.Int64) * 100).cast(pl.String)), "stg_debit", "debts_like_before",
    ),
    FileFault(
        "debts_of_last_century", "debts processed a century earlier", DEBIT,
        of_columns(";", pl.col("Dt_trt_ecn").str.slice(1)), "stg_debit", "debts_dated",
    ),
    FileFault(
        "steps_of_last_century", "procedures that take effect a century earlier", PROCOL,
        of_columns(";", pl.col("Dt_effet").str.replace("20(..)$", "19${1}")), "stg_procol", "steps_dated",
    ),
    FileFault(
        "day_and_month_swapped", "month and day swapped in the dates of payment plans", DELAI,
        of_columns(";", pl.col("Date_creation", "Date_echeance").str.replace("(..)/(..)/", "${2}/${1}/")), "stg_delai",
        "few_refused",
    ),
    FileFault(
        "newest_contributions_missing", "the newest month of contributions missing", COTISATION, _without_period(0),
        "stg_cotisation", "newest_month_like_before",
    ),
    FileFault(
        "contributions_missing", "a month of contributions missing among the others", COTISATION, _without_period(6),
        "stg_cotisation", "every_month_there",
    ),
    FileFault(
        "headcounts_at_zero", "the head-counts of a month all zero", EFFECTIF_ENT, of_rows(";", _month_at_zero),
        "stg_effectif_ent", "every_month_there",
    ),
    FileFault(
        "zeros_stripped", "identifiers without their leading zeros", EFFECTIF,
        of_columns(";", pl.col("siret").str.strip_chars_start("0")), "stg_effectif", "refused_like_before",
    ),
    FileFault(
        "unknown_to_sirene", "establishments that the register does not know", EFFECTIF,
        of_columns(";", pl.col("siret").str.replace(".....$", "99999")), "clean_effectif", "known_to_the_register",
    ),
    FileFault(
        "companies_repeated", "one legal unit in ten twice, with two names", SIRENE_UL,
        _first_again(10, pl.lit("AUTRE NOM").alias("denominationUniteLegale")), "clean_sirene_ul", "key_unique",
    ),
    FileFault(
        "nomenclature_unknown", "activities coded in an unknown nomenclature", SIRENE_UL,
        of_columns(
            ",", pl.lit("NAF2030").alias("nomenclatureActivitePrincipaleUniteLegale"),
            pl.lit("").alias("activitePrincipaleNAF25UniteLegale"),
        ),
        "siren_blacklist", "motif_activite_like_before",
    ),
    FileFault(
        "demands_repeated", "one demand in eight twice, with other hours", "demande_ap.csv",
        _first_again(8, pl.lit("1.0").alias("HTA")), "stg_apdemande", "few_refused",
    ),
    FileFault(
        "perimeter_halved", "head-counts halved, which removes companies of ten to nineteen people", EFFECTIF_ENT,
        of_rows(";", lambda rows, _: rows.with_columns(_heads(pl.col("^eff.*$")))), "stg_filter_import",
        "perimeter_like_before",
    ),
    FileFault(
        "perimeter_doubled", "every company duplicated under another siren", EFFECTIF_ENT,
        of_rows(";", _companies_twice), "src_effectif_ent", "lines_like_before",
    ),
    FileFault(
        "procedures_missing", "procedures of the last three months missing", PROCOL, of_rows(";", _without_quarter),
        "stg_procol", "recent_steps_there",
    ),
    FileFault(
        "department_missing", "all establishments of a department missing", SIRENE,
        _without_department(",", pl.col("codeCommuneEtablissement").str.slice(0, 2).alias("departement")), "stg_sirene",
        "departments_there",
    ),
    FileFault(
        "department_without_contributions", "all contributions of a department missing", COTISATION,
        _without_department(";", pl.col("Dep").alias("departement")), "clean_cotisation", "departments_there",
    ),
    FileFault(
        "hours_in_days", "short-time work in days instead of hours", "consommation_ap.csv",
        of_columns(",", (pl.col("HEURES").cast(pl.Float64) / 7).round(2).cast(pl.String)), "stg_apconso",
        "hours_like_before",
    ),
    FileFault(
        "paydex_by_default", "the same paydex for everybody", "altares_paydex.csv",
        of_columns(",", pl.lit("0.0").alias("paydex")), "stg_paydex", "not_one_value",
    ),
    FileFault(
        "accounts_of_next_year", "accounts that close a year later", "declarations_indmap.csv",
        _shifted("|", 1, "date_deb_exercice", "date_fin_exercice"), "stg_declarations_indmap", "closed_already",
    ),
)  # fmt: skip
