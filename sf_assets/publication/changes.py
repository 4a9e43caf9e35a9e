"""What a correction changes: companies that came, that left, and whose level moved."""

from dataclasses import dataclass

import polars as pl

from sf_assets.lists.selection import LEVELS

CAME, LEFT, MOVED = "Entrée", "Sortie", "Changement de niveau"
_LABELS = {level.rank: level.label for level in LEVELS}


@dataclass(frozen=True, slots=True)
class Changes:
    """One row per company that came, left or moved: `siren`, `raison_sociale`, `changement`, `avant`, `apres`."""

    rows: pl.DataFrame

    def count(self, change: str) -> int:
        """Return the number of companies with one change."""
        return self.rows.filter(changement=change).height

    @property
    def sentence(self) -> str:
        """The counts, in French."""
        came, left, moved = map(self.count, (CAME, LEFT, MOVED))
        return f"Entreprises entrées : {came}. Sorties : {left}. Changements de niveau : {moved}."


def changes_between(before: pl.DataFrame, after: pl.DataFrame) -> Changes:
    """Compare two versions of a list, each with `siren`, `raison_sociale` and `niveau`; companies in order of siren."""
    both = before.join(after, on="siren", how="full", coalesce=True, suffix="_after")
    change = (
        pl.when(pl.col("niveau").is_null())
        .then(pl.lit(CAME))
        .when(pl.col("niveau_after").is_null())
        .then(pl.lit(LEFT))
        .when(pl.col("niveau") != pl.col("niveau_after"))
        .then(pl.lit(MOVED))
    )
    return Changes(
        both.with_columns(changement=change)
        .filter(pl.col("changement").is_not_null())
        .sort("siren")
        .select(
            "siren",
            pl.coalesce("raison_sociale_after", "raison_sociale").alias("raison_sociale"),
            "changement",
            avant=pl.col("niveau").replace_strict(_LABELS, return_dtype=pl.String),
            apres=pl.col("niveau_after").replace_strict(_LABELS, return_dtype=pl.String),
        )
    )
