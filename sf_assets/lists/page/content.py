"""What the page of a list holds: a row of the table and a sheet for each company."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from types import MappingProxyType

import numpy as np
import polars as pl

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.storage import Session
from sf_assets.features.registry import BY_NAME, THEMES
from sf_assets.lists.page.help import helps_for
from sf_assets.lists.reasons import reason_columns
from sf_assets.lists.selection import LEVELS
from sf_assets.lists.staff import HEADCOUNT, size_column
from sf_assets.lists.tables import ALERTS
from sf_assets.model.matrix import Floats
from sf_assets.model.tables import FITTED, SCORES
from sf_assets.sources.nomenclatures.label_tables import csv_path
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Table

MONTHS_SHOWN = 24
_FOLDER = files("sf_assets.lists")
# The curves of a sheet, by name: the features whose sum each one draws. Those that the mode does not have are left out.
CURVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"dette": ("dette_sociale_ouvriere", "dette_sociale_patronale"), "effectif": ("effectif",)}
)
# Head-counts as officers sort companies: the lower bound of each class, and its French name.
SIZES = (
    (0, "moins de 10"),
    (10, "10 à 19"),
    (20, "20 à 49"),
    (50, "50 à 99"),
    (100, "100 à 249"),
    (250, "250 et plus"),
)


@dataclass(frozen=True, slots=True)
class Sheets:
    """The companies of a page, by rank: columns of the table (`rows`) and what the sheet of each one shows (`sheets`).

    `rows` has the columns of the list, with `libelle_niveau`, `libelle_section` and `taille`. `sheets` has `siren`;
    `motifs`, the reasons; `dette`, `effectif` and `risque`, lists of the last 24 months; `themes`, the bars in percent of
    risk, NULL when they do not add up to it; `inconnus`, the themes of which nothing was known; `aides`, positions in
    `HELPS`. `hides_reasons` is whether the reader's rights leave out some reasons.
    """

    rows: pl.DataFrame
    sheets: pl.DataFrame
    hides_reasons: bool = False


def read_evolution(session: Session, gate: Gate, month: date, version: int) -> pl.DataFrame:
    """Return one row per company of a list's version, with its values of the last 24 months, oldest first.

    A month whose rows have not passed their checks is left blank. The list is bound to the month and
    the tables of features and scores to several months when this returns.
    """
    shown = [add_months(month, -n) for n in range(MONTHS_SHOWN)]
    session.bind({ALERTS: month})
    matrix = gate.table("feat_matrix")
    for table in (matrix, FITTED, SCORES):
        stored = [one for one in session.months(table.name) if one in shown]
        session.bind_months([table], _checked(gate, session, table.name, stored))
    return session.connection.execute(_evolution_query(matrix), {"month": month, "version": version}).pl()


def _evolution_query(matrix: Table) -> str:
    """Return the query of the curves that the features of a mode can draw."""
    drawn = {name: parts for name, parts in CURVES.items() if {*parts} <= {*matrix.column_names}}
    curves = "".join(
        f"list({' + '.join(f'feat_matrix.{part}' for part in parts)} order by months.month) as {name}, "
        for name, parts in drawn.items()
    )
    return read_query(_FOLDER, "list_evolution", {"curves": curves}).text


def _checked(gate: Gate, session: Session, name: str, months: list[date]) -> list[date]:
    """Return the months of a table that passed their checks: asked for together first, since nearly always all did."""
    try:
        gate.check(session, [(name, month) for month in months])
    except Blocked:
        return [] if len(months) == 1 else [month for month in months if _checked(gate, session, name, [month])]
    return months


def section_names() -> pl.DataFrame:
    """Return one row per section of NAF rev. 2: `naf_section`, `libelle_section`."""
    names = {"naf_section": "niv1", "libelle_section": "niv1_libelle"}
    return (
        pl.read_csv(csv_path("naf_codes")).select(**{name: pl.col(column) for name, column in names.items()}).unique()
    )


def sheets_of(
    listed: pl.DataFrame, companies: pl.DataFrame, evolution: pl.DataFrame, bars: Floats, sections: pl.DataFrame
) -> Sheets:
    """Return what the page shows of the companies of a list.

    `listed` has the rows of `list_alerts`, by rank; `companies` the features of these companies and more, by `siren`;
    `bars` is one row per row of `listed`, one column per theme; `sections` names sections of activities (`naf_section`,
    `libelle_section`).
    """
    known = listed.select("siren").join(companies, on="siren", how="left", maintain_order="left")
    rows = rows_of(listed, companies, sections)
    sheets = listed.select("siren", motifs=pl.concat_list(reason_columns()).list.drop_nulls())
    sheets = sheets.join(evolution, on="siren", how="left", maintain_order="left").with_columns(
        pl.col("risque").list.eval((pl.element() * 100).round(1)),
        *([pl.col("dette").list.eval(pl.element().round(0))] if "dette" in evolution.columns else []),
        themes=_bars(bars),
        inconnus=_unknown(known),
        aides=_helps(bars),
    )
    return Sheets(rows, sheets)


def rows_of(listed: pl.DataFrame, companies: pl.DataFrame, sections: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the table: those of `listed`, with what filters and labels need."""
    labels = {level.rank: level.label for level in LEVELS}
    bounds, names = zip(*SIZES, strict=True)
    level = pl.col("niveau").replace_strict(labels, return_dtype=pl.String).alias("libelle_niveau")
    size = size_column(companies)
    known = companies.select("siren", "naf_section", *([size] if size != HEADCOUNT else []))
    return (
        listed.join(known, on="siren", how="left", maintain_order="left")
        .join(sections, on="naf_section", how="left", maintain_order="left")
        .with_columns(
            *([level] if "niveau" in listed.columns else []),
            taille=pl.col(size).cut(list(bounds[1:]), labels=list(names), left_closed=True).cast(pl.String),
        )
    )


def _bars(bars: Floats) -> pl.Series:
    """Return the bars of each company rounded to what is displayed, NULL when one is not a number."""
    return pl.Series([row.round(1).tolist() if np.isfinite(row).all() else None for row in bars])


def _unknown(companies: pl.DataFrame) -> pl.Series:
    """Return the positions in `THEMES` of those of which no feature was known."""
    features = {theme: _columns_of(theme, companies.columns) for theme in THEMES}
    marks = [
        pl.when(pl.all_horizontal(pl.col(names).is_null())).then(pl.lit(position))
        for position, names in enumerate(features.values())
        if names
    ]
    return companies.select(pl.concat_list(marks).list.drop_nulls().alias("inconnus")).to_series()


def _columns_of(theme: str, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name in BY_NAME and BY_NAME[name].theme == theme]


def _helps(bars: Floats) -> pl.Series:
    """Return what is worth proposing to each company: schemes for the themes that raise its risk."""
    themes = np.array(list(THEMES))
    patterns, which = np.unique(np.nan_to_num(bars, nan=1.0) > 0, axis=0, return_inverse=True)
    texts = [helps_for(themes[pattern].tolist()) for pattern in patterns]
    return pl.Series([texts[i] for i in which.ravel()])
