"""Simulated companies and methods fitted on them, for the tests of the model."""

from functools import cache

import numpy as np
import polars as pl

from sf_assets.features.registry import NAMES
from sf_assets.model.methods import ScoringMethod, method_named

DEBT = "dette_sur_cotisation_mean12m"
# Fewer trees than by default: enough to rank companies, and fast to fit.
SMALL: dict[str, dict[str, object]] = {"boosting": {"rounds": 60}, "foret": {"trees": 30, "depth": 6}}
SMALL["ensemble"] = {"settings": dict(SMALL)}


def simulated(rows: int, seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the features of simulated companies and whether each fails.

    Most owe nothing, amounts have long tails, a quarter has no paydex, a tenth no accounts.
    """
    rng = np.random.default_rng(seed)
    frailty = rng.normal(size=rows)
    owes = rng.random(rows) < 1 / (1 + np.exp(2.2 - frailty))
    staff = np.maximum(1, np.round(np.exp(rng.normal(3, 1, rows))))
    due = staff * rng.lognormal(6.3, 0.3, rows)
    debt = np.where(owes, due * rng.lognormal(0.3 + 0.4 * frailty, 1, rows), 0)
    drawn = {name: rng.standard_t(2, rows) - 0.2 * frailty for name in NAMES}
    for name in NAMES:
        if name.startswith("dette_sociale"):
            drawn[name] = debt * rng.choice([0, 1], rows, p=[0.2, 0.8]) / 2
    drawn |= {
        "cotisation": due,
        "cotisation_mean12m": due,
        DEBT: debt / due,
        "dette_par_effectif": debt / staff,
        "mois_en_dette_12m": np.where(owes, rng.integers(1, 13, rows), 0),
        "delai_en_cours": (owes & (rng.random(rows) < 0.2)).astype(float),
        "effectif": staff,
        "effectif_variation12m": rng.normal(-0.03 * frailty, 0.1, rows),
        "ap_heures_consommees": np.where(rng.random(rows) < 0.02, staff * rng.lognormal(2, 1, rows), 0),
        "paydex": np.where(rng.random(rows) < 0.25, np.nan, rng.lognormal(1.8 + 0.3 * frailty, 1, rows)),
    }
    no_accounts = rng.random(rows) < 0.1
    for name in ("ebe_sur_ca", "liquidite_reduite", "solidite_financiere"):
        drawn[name] = np.where(no_accounts, np.nan, drawn[name])
    failure = rng.random(rows) < 1 / (1 + np.exp(5.6 - 1.2 * frailty - 0.8 * owes - 0.4 * np.arcsinh(drawn[DEBT])))
    return pl.DataFrame({name: drawn[name] for name in NAMES}).fill_nan(None), failure


@cache
def earlier() -> tuple[pl.DataFrame, np.ndarray]:
    """Return the companies that the methods of `fitted` learn from."""
    return simulated(20_000, seed=1)


@cache
def later() -> tuple[pl.DataFrame, np.ndarray]:
    """Return companies that no method learned from."""
    return simulated(20_000, seed=2)


def small(name: str, **changes: object) -> ScoringMethod:
    """Return an unfitted method with few trees; `changes` are its parameters."""
    return method_named(name)(**{"features": NAMES} | SMALL.get(name, {}) | changes)


@cache
def fitted(name: str) -> ScoringMethod:
    """Return a method fitted on `earlier`, shared by all tests: a test that changes it fits its own."""
    method = small(name)
    if method.members:
        return method.fit(*earlier(), fitted={member: fitted(member) for member in method.members})
    return method.fit(*earlier())


def company(**values: float | None) -> pl.DataFrame:
    """Return the row of one company whose other features are unknown."""
    return pl.DataFrame({name: [values.get(name)] for name in NAMES}, schema=dict.fromkeys(NAMES, pl.Float64))
