"""Two stages: companies with accounts and companies without are scored by different regressions."""

import numpy as np
import polars as pl
import pytest
from drawn import earlier, later, small

from sf_assets.features.registry import BY_NAME, FINANCES, NAMES
from sf_assets.model.methods import score
from sf_assets.model.staged import StagedMethod

ACCOUNTS = [name for name in NAMES if BY_NAME[name].theme == FINANCES]


def without_accounts(rows: pl.DataFrame, share: float = 1.0) -> pl.DataFrame:
    """Return rows of which a share has no accounts at all."""
    hidden = np.random.default_rng(0).random(rows.height) < share
    return rows.with_columns(
        pl.when(pl.Series(hidden)).then(None).otherwise(pl.col(name)).alias(name) for name in ACCOUNTS
    )


@pytest.fixture(scope="module")
def staged() -> StagedMethod:
    rows, target = earlier()
    return StagedMethod(NAMES).fit(without_accounts(rows, share=0.4), target)


def test_a_company_without_accounts_is_scored_by_the_regression_without_accounts(staged):
    rows, _ = later()
    others = [name for name in NAMES if name not in ACCOUNTS]
    raw = staged.without_.decision_function(rows.select(others).to_numpy())
    expected = 1 / (1 + np.exp(-(staged.intercept_ + staged.slope_ * raw)))
    assert score(staged, without_accounts(rows)) == pytest.approx(expected, abs=1e-12)
    assert not np.allclose(score(staged, rows), expected, atol=1e-3)


def test_one_known_feature_of_accounts_selects_the_regression_with_accounts(staged):
    rows = without_accounts(later()[0][:50]).with_columns(age_comptes=pl.lit(9.0))
    raw = staged.with_.decision_function(rows.select(NAMES).to_numpy())
    assert staged.log_odds(rows) == pytest.approx(staged.intercept_ + staged.slope_ * raw, abs=1e-12)


def test_contributions_add_up_in_both_stages_and_the_difference_of_base_values_belongs_to_accounts(staged):
    rows = without_accounts(later()[0][:400], share=0.5)
    parts = staged.contributions(rows)
    assert staged.base_ + parts.sum(axis=1) == pytest.approx(staged.log_odds(rows), abs=1e-9)
    bare = rows[ACCOUNTS[0]].is_null().to_numpy() & rows["age_comptes"].is_null().to_numpy()
    assert bare.any()
    assert (parts[bare][:, [NAMES.index(name) for name in ACCOUNTS]] == 0).all()


def test_too_few_failing_companies_with_accounts_leave_one_stage():
    rows, target = earlier()
    method = StagedMethod(NAMES).fit(without_accounts(rows, share=0.9995), target)
    assert method.with_ is None
    assert np.isfinite(score(method, later()[0][:100])).all()


def test_a_table_without_accounts_has_one_stage():
    rng = np.random.default_rng(3)
    rows = pl.DataFrame({"a": rng.normal(size=800), "b": rng.normal(size=800)})
    target = rng.random(800) < 1 / (1 + np.exp(1 - rows["a"].to_numpy()))
    method = small("deux_etages", features=("a", "b")).fit(rows, target)
    assert all(draw.with_ is None for draw in method.draws_)
    assert score(method, pl.DataFrame({"a": [3.0], "b": [0.0]})) > score(
        method, pl.DataFrame({"a": [-3.0], "b": [0.0]})
    )
