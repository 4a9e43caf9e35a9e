"""The utility of a theme or source is measured without it and with it alone."""

from datetime import date

import numpy as np
import polars as pl

from sf_assets.evaluation.origins import Origin
from sf_assets.evaluation.utility import SOURCE, THEME, FeatureGroup, feature_groups, utility
from sf_assets.features.registry import BY_NAME, FEATURES, NAMES, THEMES
from sf_assets.model.logistic import LogisticMethod

SHORT = ("paydex", "effectif", "age_entreprise")


def test_every_feature_belongs_to_one_theme_and_to_its_sources() -> None:
    parts = feature_groups()
    themes = [part for part in parts if part.kind == THEME]
    assert [part.name for part in themes] == list(THEMES.values())
    assert sorted(name for part in themes for name in part.alone) == sorted(NAMES)
    for part in parts:
        assert not set(part.without) & set(part.alone)
        if part.kind == SOURCE:
            assert {name for name in NAMES if name not in part.without} == {
                one.name for one in FEATURES if part.name in one.sources
            }
            assert {source for name in part.alone for source in BY_NAME[name].sources} <= {part.name}


def rows_of(month: date, *, companies: int = 3000) -> pl.DataFrame:
    """Return companies that fail when paydex is high, whatever effectif and age."""
    rng = np.random.default_rng(month.year * 12 + month.month)
    drawn = {name: rng.normal(size=companies) for name in SHORT}
    return pl.DataFrame(drawn).with_columns(
        siren=pl.Series([f"{i:09}" for i in range(companies)]),
        periode=pl.lit(month),
        target=pl.Series(drawn["paydex"] + rng.normal(size=companies) / 2 > 1.8),
        en_procedure=pl.Series(np.arange(companies) % 100 == 0),
        weight=pl.lit(1.0),
    )


def test_a_useful_feature_has_a_loss_above_noise_and_a_useless_one_adds_nothing() -> None:
    parts = (
        *(FeatureGroup(THEME, name, tuple(other for other in SHORT if other != name), (name,)) for name in SHORT),
        FeatureGroup(SOURCE, "mixed", SHORT[:1], ()),
    )
    origins = (Origin(date(2022, 1, 1), (date(2020, 1, 1),), (date(2022, 1, 1), date(2022, 2, 1))),)

    def load(months):
        return pl.concat([rows_of(month) for month in months])

    def found() -> pl.DataFrame:
        # A regression has no equal scores: breaking ties at random would already seem to add something.
        return utility(origins, load=load, draw=load, groups=parts, method=lambda names: LogisticMethod(names, C=10.0))

    worth = found()
    paydex, effectif, age, mixed = worth.rows(named=True)
    assert paydex["apporte"]
    assert paydex["perte_bas"] > 0.2
    assert paydex["seul"] > effectif["seul"] + 0.2
    assert (effectif["apporte"], age["apporte"]) == (False, False)
    assert abs(effectif["perte"]) < 0.01
    assert (mixed["seul"], mixed["variables"]) == (None, 2)
    assert mixed["raison"]
    assert found().equals(worth), "the same rows give the same figures"


def test_without_an_origin_there_is_no_row() -> None:
    assert utility((), load=rows_of, draw=rows_of, groups=feature_groups()).is_empty()
