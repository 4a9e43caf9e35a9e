"""Reasons of an alert: sentences in French that state the known facts which raise a company's score most."""

import re
from collections.abc import Collection, Sequence
from datetime import date

import polars as pl

from sf_assets.features.registry import BY_NAME, DETTE, FINANCES
from sf_assets.lists.wording import end_of, evolution, month_name, quantity
from sf_assets.model.matrix import Floats, as_matrix

COUNT = 3
# A reason below this share of all contributions that raise the score is noise to its reader.
LEAST_SHARE = 0.05
# Nineteen features describe debts: without a limit they would fill every line and hide the other themes.
PER_THEME = 2
# The features that the basis of a theme is read from: the first one that the mode has.
_DEBTS = ("dette_sociale_ouvriere", "dette_sociale_patronale")
_AGES = ("age_comptes", "age_comptes_publies")
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
    allowed: Collection[str] | None = None,
) -> pl.DataFrame:
    """Return the main reasons of each company: `siren`, `motif_1` … in the order of the companies, NULL when fewer.

    A reason is a known value that raises the score and lies on the side of `typical` where economics expects the risk: a
    regression on debts at six dates may give a small debt of last year a positive contribution, which means nothing to a
    reader. A quantity known at several dates gives one reason, the strongest, and a theme gives at most two. The first
    reason of a theme ends with its basis: the debt at the `cutoff`, or the month in which the accounts were closed.

    `companies` has `siren` and the features. `contributions` is what each feature adds to the score, of shape (companies,
    features), in the order of `features`. `typical` is the usual value of each feature; None when contributions alone decide.
    Reasons state the features `allowed` only, all of them when it is None: the next allowed one takes the place of the others.
    """
    stated = frozenset(features if allowed is None else allowed)
    values = pl.DataFrame(as_matrix(companies, features), schema=list(features), orient="row")
    row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
    long = (
        values.select(row, pl.all())
        .unpivot(index="row", variable_name="feature", value_name="value")
        .with_columns(pushes=pl.DataFrame(contributions, schema=list(features), orient="row").unpivot()["value"])
        .filter(pl.col("pushes") > 0)
        .with_columns(share=pl.col("pushes") / pl.col("pushes").sum().over("row"))
        .join(_feature_facts(features, typical), on="feature")
        .filter(
            pl.col("value").is_not_nan()
            & (pl.col("share") >= LEAST_SHARE)
            & pl.col("feature").is_in(stated)
            & _is_reportable(contributions_decide=typical is None)
        )
        .sort("row", -pl.col("pushes"), "position")
        .unique(["row", "quantity"], keep="first", maintain_order=True)
        .filter(pl.int_range(pl.len()).over("row", "theme") < PER_THEME)
        .with_columns(first=pl.int_range(pl.len()).over("row", "theme") == 0)
        .group_by("row", maintain_order=True)
        .head(count)
        .join(_details(companies, cutoff, stated), on=["row", "theme", "first"], how="left", maintain_order="left")
    )
    sentence = (
        pl.col("phrase")
        .str.replace("{value}", quantity(pl.col("value"), pl.col("unit")), literal=True)
        .str.replace("{evolution}", evolution(pl.col("value"), pl.col("unit")), literal=True)
    )
    sentences = long.select("row", motif=sentence + pl.col("detail").fill_null(""))
    columns = reason_columns(count)
    wide = (
        sentences.group_by("row")
        .agg("motif")
        .select("row", *(pl.col("motif").list.get(i, null_on_oob=True).alias(name) for i, name in enumerate(columns)))
    )
    return companies.select(row, "siren").join(wide, on="row", how="left", maintain_order="left").drop("row")


def _details(companies: pl.DataFrame, cutoff: date, stated: Collection[str]) -> pl.DataFrame:
    """Return the basis of the first reason of a theme: one row per company and theme, with `row`, `theme`, `first`, `detail`.

    A basis comes from features of its own: it is given only when these may be stated.
    """
    row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
    details: dict[str, pl.Expr] = dict.fromkeys((DETTE, FINANCES), pl.lit(None, pl.String))
    if _DEBTS[0] in stated and {*_DEBTS} <= {*companies.columns}:
        debt = pl.sum_horizontal(pl.col(_DEBTS), ignore_nulls=False)
        text = " (dette de " + quantity(debt, pl.lit("€")) + " " + end_of(cutoff) + ")"
        details[DETTE] = pl.when(debt > 0).then(text)
    if age := next((name for name in _AGES if name in stated and name in companies.columns), None):
        days = pl.concat_str(-(pl.col(age) * 30.4375).round().cast(pl.Int64), pl.lit("d"))
        details[FINANCES] = " (comptes clos en " + month_name(pl.lit(cutoff).dt.offset_by(days)) + ")"
    return pl.concat(
        [
            companies.select(row, theme=pl.lit(theme), first=pl.lit(value=True), detail=text)
            for theme, text in details.items()
        ]
    )


def _feature_facts(features: Sequence[str], typical: Floats | None) -> pl.DataFrame:
    """Return one row per feature with what selects and words its reason. Lags share the risky side of their quantity."""
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


def _is_reportable(*, contributions_decide: bool) -> pl.Expr:
    """Return whether a value may be stated as a reason: on the risky side, a flag that is set, a change other than zero.

    A quantity whose risky side is undecided is never a reason, unless `contributions_decide`.
    """
    beyond = (pl.col("value") - pl.col("typical")) * pl.col("side")
    flag_unset = (pl.col("unit") == "flag") & (pl.col("value") == 0)
    no_change = pl.col("phrase").str.contains("{evolution}", literal=True) & (pl.col("value") == 0)
    return (pl.lit(contributions_decide) | (beyond > 0)) & ~flag_unset & ~no_change
