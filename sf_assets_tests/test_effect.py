"""What help changes: the estimators find the effect that was put into simulated companies, and nothing where there is none."""

from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from sf_assets.evaluation.discontinuity import best_bandwidth, density_jump, jump
from sf_assets.evaluation.effect import effect_rows
from sf_assets_dev.synthetic.help import prevented

WORLDS = 50
ROWS = 12_000
# Log odds of failure at the threshold, and how they rise with the score.
LEVEL, SLOPE = -1.5, 0.9
CONTACTED_ABOVE, CONTACTED_BELOW = 0.6, 0.05


def world(seed: int, prevents: float, *, choose: float = 0.0) -> pl.DataFrame:
    """Return scored companies of two lists; officers contact those above the threshold more often.

    `choose` is how much more often officers contact companies that will fail, for reasons that no file knows.
    """
    rng = np.random.default_rng(seed)
    distance = np.clip(rng.normal(-0.6, 1.1, ROWS), -2.99, 2.99)
    failing = rng.random(ROWS) < 1 / (1 + np.exp(-(LEVEL + SLOPE * distance - 0.15 * distance**2)))
    above = distance >= 0
    chance = np.where(above, CONTACTED_ABOVE, CONTACTED_BELOW) + choose * (failing - 0.5)
    contacted = rng.random(ROWS) < chance
    help_stream = np.random.default_rng([seed, 7])
    return pl.DataFrame(
        {
            "mois_liste": [date(2024, 1 + n % 2, 1) for n in range(ROWS)],
            "siren": [f"{n // 2:09}" for n in range(ROWS)],
            "distance": distance,
            "publiee": above,
            "contactee": contacted,
            "defaillance": failing & ~prevented(help_stream, failing, contacted, prevents),
        }
    )


@cache
def estimates(prevents: float) -> list[dict[str, dict[str, float]]]:
    """Return the estimates of fifty worlds, by name."""
    return [
        {row["mesure"]: row for row in effect_rows(world(seed, prevents)).iter_rows(named=True)}
        for seed in range(WORLDS)
    ]


def covered(prevents: float, name: str, truth: float) -> float:
    return float(np.mean([one[name]["bas"] <= truth <= one[name]["haut"] for one in estimates(prevents)]))


FAILURE = 1 / (1 + np.exp(-LEVEL))


@pytest.mark.parametrize("prevents", [0.0, 0.5])
def test_intervals_cover_the_true_effect_in_nine_worlds_of_ten(prevents: float) -> None:
    of_contact = -prevents * FAILURE
    of_publication = of_contact * (CONTACTED_ABOVE - CONTACTED_BELOW)
    assert covered(prevents, "effet_contact", of_contact) >= 0.9
    assert covered(prevents, "effet_publication", of_publication) >= 0.9
    assert covered(prevents, "saut_contact", CONTACTED_ABOVE - CONTACTED_BELOW) >= 0.9
    mean = np.mean([one["effet_contact"]["valeur"] for one in estimates(prevents)])
    assert abs(mean - of_contact) < 0.03, "no bias"
    assert [one["saut_publication"]["valeur"] for one in estimates(prevents)] == pytest.approx([1.0] * WORLDS)


def test_an_effect_is_told_from_none_and_nothing_is_found_where_nothing_happens() -> None:
    found = [one["effet_contact"]["haut"] < 0 for one in estimates(0.5)]
    assert np.mean(found) >= 0.5
    for name in ("saut_densite", "temoin_dessous", "temoin_dessus"):
        for prevents in (0.0, 0.5):
            assert covered(prevents, name, 0.0) >= 0.85, name


def test_a_threshold_that_companies_were_moved_across_is_found() -> None:
    rng = np.random.default_rng(3)
    distance = rng.normal(-0.6, 1.1, ROWS)
    moved = (distance > -0.15) & (distance < 0) & (rng.random(ROWS) < 0.5)
    found = density_jump(np.where(moved, -distance, distance), np.arange(ROWS))
    assert found.low is not None
    assert found.low > 0


def test_contacted_against_others_finds_the_effect_only_when_officers_do_not_choose() -> None:
    def difference(prevents: float, choose: float) -> tuple[float, float]:
        rows = effect_rows(world(1, prevents, choose=choose)).filter(comparaison="contact")
        return rows.select("bas", "haut").row(0)

    low, high = difference(0.0, 0.0)
    assert low <= 0 <= high
    low, high = difference(0.5, 0.0)
    assert high < 0
    low, high = difference(0.0, 0.4)
    assert low > 0, "without any effect: it proves nothing when officers choose"


def test_errors_are_clustered_by_company_and_small_samples_say_why_they_are_empty() -> None:
    rows = world(1, 0.5)
    distance, failed = rows["distance"].to_numpy(), rows["defaillance"].cast(pl.Float64).to_numpy()
    twice = [np.concatenate([one, one]) for one in (distance, failed, np.arange(ROWS))]
    once = jump(distance, failed, np.arange(ROWS), 1.0)
    doubled = jump(*twice, 1.0)
    assert doubled.low == pytest.approx(once.low, abs=1e-3), "the same companies twice bring nothing"
    few = effect_rows(rows.head(60))
    assert few["raison"].drop_nulls().str.contains("fewer than 50").all()
    assert few.filter(pl.col("valeur").is_null())["raison"].null_count() == 0
    assert effect_rows(rows.head(0))["raison"].item() == "no published list whose outcome is known"


@pytest.mark.parametrize(("width", "value", "error"), [(0.6, -0.06483743, 0.03506827), (1.2, -0.05696093, 0.02477384)])
def test_the_estimate_and_its_error_are_those_of_the_reference(width: float, value: float, error: float) -> None:
    """The figures are the bias-corrected estimate and robust error of rdrobust 2.1.1 (h = b, triangular, vce hc0)."""
    rows = world(1, 0.5)
    failed = rows["defaillance"].cast(pl.Float64).to_numpy()
    found = jump(rows["distance"].to_numpy(), failed, np.arange(ROWS), width)
    assert found.value == pytest.approx(value, abs=1e-7)
    assert found.high == pytest.approx(value + 1.96 * error, abs=1e-4)


def test_the_bandwidth_narrows_with_rows() -> None:
    rows = world(1, 0.0)
    distance, failed = rows["distance"].to_numpy(), rows["defaillance"].cast(pl.Float64).to_numpy()
    assert 0 < best_bandwidth(distance, failed) <= best_bandwidth(distance[:2000], failed[:2000]) * 1.5
