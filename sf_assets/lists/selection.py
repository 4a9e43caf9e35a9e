"""Alert levels from scores and two thresholds, exclusions, ranks."""

from dataclasses import dataclass

import polars as pl

from sf_assets.model.evaluation import Thresholds


@dataclass(frozen=True, slots=True)
class Level:
    """An alert level: `rank` orders levels from 0, `name` is the value the application expects, `label` the text for officers."""

    rank: int
    name: str
    label: str


LEVELS = (
    Level(0, "Pas d'alerte", "Pas d'alerte"),
    Level(1, "Alerte seuil F2", "Risque modéré"),
    Level(2, "Alerte seuil F1/2", "Risque fort"),
)
IN_PROCEDURE = "procédure collective connue"
OUT_OF_PERIMETER = "hors périmètre"


def select(companies: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    """Return every company with its level, its rank and, when it is excluded from the list, the reason.

    `companies` has one row per company with `siren`, `probabilite` in [0, 1], `procedure_connue` (NULL when none is
    known) and `dans_perimetre`; other columns are carried over. The level is the number of thresholds that the score
    reaches (rules §11.1). A company in a known procedure needs no detection, and a company outside the perimeter is not
    followed: both keep their score and have neither alert nor rank.

    Rows are ordered by rank, excluded companies last. Columns added: `exclusion` (NULL for a company that is not excluded),
    `niveau` (0, 1, 2), `alerte` (the level's name) and `rang` (1 is the highest score, ties by siren, NULL when excluded).

    Raises:
        ValueError: a score outside [0, 1], a repeated siren, or an unknown `dans_perimetre`.

    """
    _check(companies)
    exclusion = (
        pl.when(~pl.col("dans_perimetre"))
        .then(pl.lit(OUT_OF_PERIMETER))
        .when(pl.col("procedure_connue").is_not_null())
        .then(pl.lit(IN_PROCEDURE))
    )
    is_listed = pl.col("exclusion").is_null()
    reached = (pl.col("probabilite") >= thresholds.modere).cast(pl.Int8) + (
        pl.col("probabilite") >= thresholds.fort
    ).cast(pl.Int8)
    return (
        companies.with_columns(exclusion=exclusion)
        .with_columns(niveau=pl.when(is_listed).then(reached).otherwise(pl.lit(0, pl.Int8)))
        .sort(pl.col("exclusion").is_not_null(), -pl.col("probabilite"), "siren")
        .with_columns(
            alerte=pl.col("niveau").replace_strict(
                {level.rank: level.name for level in LEVELS}, return_dtype=pl.String
            ),
            rang=pl.when(is_listed).then(pl.int_range(1, pl.len() + 1, dtype=pl.Int32)),
        )
    )


def with_corrected_levels(companies: pl.DataFrame) -> pl.DataFrame:
    """Return the companies of `select` with the level of column `corrige` where it is filled, else the level of the model.

    `niveau_modele` is the level of the model where it was changed, NULL elsewhere.
    """
    is_corrected = pl.col("corrige").is_not_null()
    names = {level.rank: level.name for level in LEVELS}
    return (
        companies.with_columns(
            niveau_modele=pl.when(is_corrected).then(pl.col("niveau").cast(pl.Int32)),
            niveau=pl.coalesce("corrige", "niveau").cast(pl.Int8),
        )
        .with_columns(alerte=pl.col("niveau").replace_strict(names, return_dtype=pl.String))
        .drop("corrige")
    )


def _check(companies: pl.DataFrame) -> None:
    """Refuse scores that are missing or outside [0, 1], repeated companies, and an unknown perimeter."""
    wrong = companies.filter(pl.col("probabilite").is_null() | ~pl.col("probabilite").is_between(0, 1))
    if wrong.height:
        raise ValueError(f"scores, column probabilite: expected numbers in [0, 1], found {wrong.height} others")
    if companies["siren"].n_unique() != companies.height:
        repeated = companies.height - companies["siren"].n_unique()
        raise ValueError(f"scores, column siren: expected each company once, found {repeated} repeated rows")
    if companies["dans_perimetre"].null_count():
        raise ValueError("scores, column dans_perimetre: expected true or false, found unknown values")
