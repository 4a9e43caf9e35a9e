"""Why a company is on the list, in plain French: its main reasons as sentences that state known facts."""

import re
from collections.abc import Sequence
from datetime import date

import polars as pl

from sf_assets.features.registry import BY_NAME, DETTE, FINANCES
from sf_assets.lists.wording import end_of, evolution, month_name, quantity
from sf_assets.model.matrix import Floats, as_matrix

COUNT = 3
# A reason that carries less than this share of all that pushes the risk up is noise to its reader.
LEAST_SHARE = 0.05
# Debts are described by nineteen features: without a limit they would fill every line and hide the rest.
PER_THEME = 2
_LAG = re.compile(r"_lag\d+m$")


def reason_columns(count: int = COUNT) -> tuple[str, ...]:
    """Return the names of the columns of reasons, the main one first."""
    return tuple(f"motif_{i + 1}" for i in range(count))


def main_reasons(
    companies: pl.DataFrame,
    contributions: Floats,
    features: Sequence[str],
    *,
    cutoff: date,
    typical: Floats | None = None,
    count: int = COUNT,
) -> pl.DataFrame:
    """Return the main reasons of each company: `siren`, `motif_1` … in the order of the companies, NULL when fewer.

    A reason is a known value that pushes the risk up, on the side of `typical` where economics expects it: a regression
    on debts of six dates may give a small debt of last year a positive part, which is no reason to a reader. A quantity
    seen at several dates gives one reason, its strongest, and a theme two at the most. The first of a theme says what it
    stands on: the debt at the `cutoff`, the month in which the accounts were closed.

    `companies` holds `siren` and the features, `contributions` what each feature adds to the score, rows x features in
    the order of `features`. `typical` is the usual value of each feature, None when contributions alone decide.
    """
    values = pl.DataFrame(as_matrix(companies, features), schema=list(features), orient="row")
    row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
    long = (
        values.select(row, pl.all())
        .unpivot(index="row", variable_name="feature", value_name="value")
        .with_columns(pushes=pl.DataFrame(contributions, schema=list(features), orient="row").unpivot()["value"])
        .filter(pl.col("pushes") > 0)
        .with_columns(share=pl.col("pushes") / pl.col("pushes").sum().over("row"))
        .join(_facts(features, typical), on="feature")
        .filter(pl.col("value").is_not_nan() & (pl.col("share") >= LEAST_SHARE) & _speaks(anyhow=typical is None))
        .sort("row", -pl.col("pushes"), "position")
        .unique(["row", "quantity"], keep="first", maintain_order=True)
        .filter(pl.int_range(pl.len()).over("row", "theme") < PER_THEME)
        .with_columns(first=pl.int_range(pl.len()).over("row", "theme") == 0)
        .group_by("row", maintain_order=True)
        .head(count)
        .join(_grounds(companies, cutoff), on=["row", "theme", "first"], how="left", maintain_order="left")
    )
    sentence = (
        pl.col("phrase")
        .str.replace("{value}", quantity(pl.col("value"), pl.col("unit")), literal=True)
        .str.replace("{evolution}", evolution(pl.col("value"), pl.col("unit")), literal=True)
    )
    sentences = long.select("row", motif=sentence + pl.col("ground").fill_null(""))
    columns = reason_columns(count)
    wide = (
        sentences.group_by("row")
        .agg("motif")
        .select("row", *(pl.col("motif").list.get(i, null_on_oob=True).alias(name) for i, name in enumerate(columns)))
    )
    return companies.select(row, "siren").join(wide, on="row", how="left", maintain_order="left").drop("row")


def _grounds(companies: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    """One row is what the first reason of a theme stands on, for one company: `row`, `theme`, `first`, `ground`."""
    row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
    debt = pl.col("dette_sociale_ouvriere") + pl.col("dette_sociale_patronale")
    closed = pl.lit(cutoff).dt.offset_by(
        pl.concat_str(-(pl.col("age_comptes") * 30.4375).round().cast(pl.Int64), pl.lit("d"))
    )
    grounds = {
        DETTE: pl.when(debt > 0).then(" (dette de " + quantity(debt, pl.lit("€")) + " " + end_of(cutoff) + ")"),
        FINANCES: " (comptes clos en " + month_name(closed) + ")",
    }
    return pl.concat(
        [
            companies.select(row, theme=pl.lit(theme), first=pl.lit(value=True), ground=text)
            for theme, text in grounds.items()
        ]
    )


def _facts(features: Sequence[str], typical: Floats | None) -> pl.DataFrame:
    """One row is one feature: what choosing and saying it needs. Past and present of a quantity share a side."""
    known = [BY_NAME[name] for name in features]
    quantities = [_LAG.sub("", name) for name in features]
    return pl.DataFrame(
        {
            "feature": list(features),
            "position": range(len(features)),
            "quantity": quantities,
            "theme": [feature.theme for feature in known],
            "unit": [feature.unit for feature in known],
            "phrase": [feature.phrase for feature in known],
            "side": [BY_NAME[name].risk for name in quantities],
            "typical": [0.0] * len(features) if typical is None else typical,
        }
    )


def _speaks(*, anyhow: bool) -> pl.Expr:
    """Tell the rows whose value, once said, is a reason: on the risky side, a flag that is up, a change that is one.

    A quantity on which economics is undecided is no reason to a reader, unless contributions alone decide (`anyhow`).
    """
    beyond = (pl.col("value") - pl.col("typical")) * pl.col("side")
    flag_down = (pl.col("unit") == "flag") & (pl.col("value") == 0)
    no_change = pl.col("phrase").str.contains("{evolution}", literal=True) & (pl.col("value") == 0)
    return (pl.lit(anyhow) | (beyond > 0)) & ~flag_down & ~no_change
