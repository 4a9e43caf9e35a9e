"""The size of a company on the list: its head-count, or the staff band of INSEE where head-counts are not known."""

import polars as pl

HEADCOUNT, BAND = "effectif", "tranche"
_LEAST = "tranche_effectif"
# The name of each band by the least number of people in it.
_BANDS = {
    0: "aucun salarié", 1: "1 ou 2", 3: "3 à 5", 6: "6 à 9", 10: "10 à 19", 20: "20 à 49", 50: "50 à 99", 100: "100 à 199",
    200: "200 à 249", 250: "250 à 499", 500: "500 à 999", 1000: "1 000 à 1 999", 2000: "2 000 à 4 999",
    5000: "5 000 à 9 999", 10000: "10 000 et plus",
}  # fmt: skip


def with_bands(companies: pl.DataFrame) -> pl.DataFrame:
    """Add the column `tranche`, the French name of the staff band, to companies that have one in place of a head-count."""
    if _LEAST not in companies.columns:
        return companies
    names = pl.col(_LEAST).cast(pl.Int64).replace_strict(_BANDS, return_dtype=pl.String)
    return companies.with_columns(names.alias(BAND))


def with_sizes(listed: pl.DataFrame, companies: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a list with the staff bands of `companies` in place of head-counts, when they have bands."""
    if BAND not in companies.columns:
        return listed
    bands = companies.select("siren", BAND)
    return listed.drop(HEADCOUNT).join(bands, on="siren", how="left", maintain_order="left")


def size_column(companies: pl.DataFrame) -> str:
    """Return the column by which companies are sorted into classes of size: the head-count, or the least of the band."""
    return _LEAST if BAND in companies.columns else HEADCOUNT
