"""The JSON document of the application: every company, those in alert with explanations (rules §12.4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from sf_assets.features.registry import BY_NAME, FEATURES_OF, THEMES
from sf_assets.lists.wording import MONTHS
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.explanations import Waterfall
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.modes import FULL, Mode


@dataclass(frozen=True, slots=True)
class Edition:
    """The values that every entry of a document repeats. None depends on the clock.

    `cutoff` takes the place of the former system's run time; `algo` is the method and the version of the code;
    `mode` decides the themes of explanations.
    """

    month: date
    cutoff: date
    algo: str
    thresholds: Thresholds
    mode: Mode = FULL


def list_name(month: date) -> str:
    """Return the name of a month's list.

    >>> list_name(date(2026, 3, 1))
    'Mars 2026'
    """
    return f"{MONTHS[month.month - 1].capitalize()} {month.year}"


def document(
    companies: pl.DataFrame, alerts: pl.DataFrame, explained: Waterfall, features: Sequence[str], edition: Edition
) -> Iterator[str]:
    """Yield the document as pieces of text: one entry per company, ordered by siren.

    `companies` has one row per company, as `select` returns them, with `siren`, `code_naf`, `code_commune`,
    `libelle_region`, `probabilite`, `niveau` and `alerte`. `explained` holds the explanations of the rows of `alerts`, in
    percent, its features in the order of `features`; an undefined bar becomes null.

    Raises:
        ValueError: a company in alert has no explanation.

    """
    expected = companies.filter(pl.col("niveau") > 0)["siren"]
    unexplained = expected.len() - expected.is_in(alerts["siren"].to_list()).sum()
    if unexplained:
        raise ValueError(f"document: expected an explanation for each alert, found {unexplained} without")
    entries = companies.select("siren", "niveau", **_fields(edition))
    bars = _bars(alerts["siren"], explained, features, edition.mode)
    with_bars = entries.filter(pl.col("niveau") > 0).join(bars, on="siren")
    without = entries.filter(pl.col("niveau") == 0)
    encoded = pl.concat([_encoded(without), _encoded(with_bars)]).sort("siren")["entry"]
    yield "[\n"
    for i, chunk in enumerate(encoded.to_frame().iter_slices()):
        yield ",\n" if i else ""
        yield chunk["entry"].str.join(",\n").item()
    yield "\n]\n"


def _fields(edition: Edition) -> dict[str, pl.Expr]:
    """Return the fields of an entry besides `siren`, under the names and in the order of the former system (rules §12.4)."""
    key, month = batch_key(edition.month), edition.month
    return {
        "code_naf": pl.col("code_naf"),
        "code_commune": pl.col("code_commune"),
        "région": pl.col("libelle_region"),
        "Risque de défaillance": 100 * pl.col("probabilite"),
        "alert": pl.col("alerte"),
        "idListe": pl.lit(list_name(month)),
        "batch": pl.lit(f"{key} date {edition.cutoff:%Y-%m-%d}"),
        "algo": pl.lit(edition.algo),
        # The application compares this value as text, and its month has no leading zero.
        "période": pl.lit(f"{month.year}-{month.month}-01"),
        "Seuil modéré": pl.lit(edition.thresholds.modere),
        "Seuil fort": pl.lit(edition.thresholds.fort),
    }


def _bars(siren: pl.Series, explained: Waterfall, features: Sequence[str], mode: Mode) -> pl.DataFrame:
    """Return `siren`, `macroExpl` {theme of the mode: percent} and `microExpl` {theme: {feature: percent}}."""
    macro = pl.DataFrame(explained.macro, schema=list(THEMES.values()), orient="row").fill_nan(None)
    micro = pl.DataFrame(explained.micro, schema=list(features), orient="row").fill_nan(None)
    groups = {label: [name for name in features if BY_NAME[name].theme == theme] for theme, label in THEMES.items()}
    themes = [micro.select(pl.struct(names).alias(label)).to_series() for label, names in groups.items() if names]
    there = {feature.theme for feature in FEATURES_OF[mode]}
    macro = macro.select(label for theme, label in THEMES.items() if theme in there)
    return pl.DataFrame([siren, macro.to_struct("macroExpl"), pl.DataFrame(themes).to_struct("microExpl")])


def _encoded(entries: pl.DataFrame) -> pl.DataFrame:
    """Return `siren` and `entry`, the JSON text of every row, without `niveau`."""
    return entries.select("siren", entry=pl.struct(pl.exclude("niveau")).struct.json_encode())
