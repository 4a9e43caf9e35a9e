"""What became of published lists: who was contacted, how soon, how useful it was, and who failed.

Figures are by list, level, and group of companies. Those of fewer than eleven companies are hidden, and with the only hidden
group of a partition the next smallest, since the total would give it away.
"""

import polars as pl

from sf_assets.engine.storage import frame_of
from sf_assets.evaluation.tables import ANSWERS, FEWEST
from sf_assets.lists.page.content import SIZES
from sf_assets.sources.nomenclatures.label_tables import csv_path
from sf_assets.sources.retour import UTILITIES
from sf_assets.vocabulary.intervals import NORMAL

HIDDEN = f"fewer than {FEWEST} companies, or the only other group hidden"
UNKNOWN = "nobody yet"
OVERALL = "ensemble"
# What is counted among which companies: the name of a figure, the companies that count, and those of them that are meant.
_AVIS = {f"avis_{n}": text for n, text in enumerate(UTILITIES)}
NAMES = {"avis_0": "utiles", "avis_1": "deja_connues", "avis_2": "erronees", "avis_3": "hors_ressort"}


def answer_figures(companies: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `eval_answers` of the companies of past lists, as `answered_companies.sql` returns them.

    Shares have Wilson's interval (1927) at 95 %; the median delay that of the ranks around it (binomial, at 95 %).
    """
    if companies.is_empty():
        return frame_of(ANSWERS, ())
    described = _described(companies)
    levels = [described.filter(pl.col("niveau") >= level).with_columns(niveau=pl.lit(level)) for level in (1, 2)]
    rows = pl.concat(levels)
    dimensions = {OVERALL: pl.lit(OVERALL)} | {
        name: pl.col(name) for name in ("departement", "region", "section", "taille")
    }
    figures = pl.concat(
        [
            _figures(rows.with_columns(dimension=pl.lit(name), groupe=group.cast(pl.String)))
            for name, group in dimensions.items()
        ]
    )
    return _without_small_groups(figures).select(ANSWERS.column_names).sort(ANSWERS.key)


def _described(companies: pl.DataFrame) -> pl.DataFrame:
    sections = pl.read_csv(csv_path("naf_codes")).select(code_naf="niv5", section="niv1").unique("code_naf")
    bounds, labels = zip(*SIZES, strict=True)
    return companies.join(sections, on="code_naf", how="left", maintain_order="left").with_columns(
        taille=pl.col("effectif").cut(list(bounds[1:]), labels=list(labels), left_closed=True).cast(pl.String),
        **{name: pl.col("avis").list.contains(text) for name, text in _AVIS.items()},
        **{
            f"defaillances_{name}": pl.when(contacted).then(pl.col("defaillance"))
            for name, contacted in (("contactees", pl.col("contactee")), ("autres", ~pl.col("contactee")))
        },
    )


def _figures(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per list, level, group and figure: number of companies, value and interval."""
    place = ["mois_liste", "niveau", "dimension", "groupe"]
    shares = {
        "contactees": "contactee", "defaillances": "defaillance", **{NAMES[name]: name for name in _AVIS},
        "defaillances_contactees": "defaillances_contactees", "defaillances_autres": "defaillances_autres",
    }  # fmt: skip
    grouped = rows.drop_nulls("groupe").group_by(place)
    counted = [
        grouped.agg(
            entreprises=pl.col(column).count().cast(pl.Int64), concernees=pl.col(column).sum().cast(pl.Int64)
        ).with_columns(mesure=pl.lit(name))
        for name, column in shares.items()
    ]
    known, of = pl.col("concernees"), pl.col("entreprises")
    centre = (known + NORMAL**2 / 2) / (of + NORMAL**2)
    spread = NORMAL * (known * (of - known) / of + NORMAL**2 / 4).sqrt() / (of + NORMAL**2)
    as_shares = pl.concat(counted).with_columns(
        valeur=known / of, bas=(centre - spread).clip(0), haut=(centre + spread).clip(upper_bound=1)
    )
    around = NORMAL / 2 * of.sqrt()
    first, last = (of / 2 - around).floor().clip(0), pl.min_horizontal((of / 2 + around).ceil(), of - 1)
    delays = (
        rows.drop_nulls(["groupe", "delai"])
        .group_by(place)
        .agg(entreprises=pl.len().cast(pl.Int64), days=pl.col("delai").sort().cast(pl.Float64))
        .with_columns(
            mesure=pl.lit("delai_jours"),
            valeur=pl.col("days").list.median(),
            bas=pl.col("days").list.get(first.cast(pl.Int64)),
            haut=pl.col("days").list.get(last.cast(pl.Int64)),
        )
        .drop("days")
    )
    return pl.concat([as_shares, delays], how="diagonal_relaxed")


def _without_small_groups(figures: pl.DataFrame) -> pl.DataFrame:
    """Hide the figures of small groups: their count, their value and its interval."""
    whole = ["mois_liste", "niveau", "dimension", "mesure"]
    of = pl.col("entreprises")
    small = (of > 0) & (of < FEWEST)
    next_smallest = (
        (of >= FEWEST) & (of.rank("ordinal").over(whole) == (of < FEWEST).sum().over(whole) + 1)
    ).fill_null(value=False)
    hidden = small | (next_smallest & (small.sum().over(whole) == 1))
    return figures.with_columns(
        *(
            pl.when(~hidden & (of > 0)).then(pl.col(name).cast(pl.Float64)).alias(name)
            for name in ("valeur", "bas", "haut")
        ),
        entreprises=pl.when(~hidden).then(of.cast(pl.Int64)),
        raison=pl.when(hidden).then(pl.lit(HIDDEN)).when(of == 0).then(pl.lit(UNKNOWN)),
    )
