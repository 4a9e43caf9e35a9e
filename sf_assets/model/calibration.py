"""Calibration: the companies held out to calibrate, the line of the log-odds in the raw score, and the rate of recent rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from sf_assets.model.matrix import Flags, Floats
from sf_assets.vocabulary.intervals import NORMAL

# One company in five calibrates: it fits two numbers, the others fit the raw score.
PARTS = 5


def company_parts(
    target: Flags, groups: npt.ArrayLike | None = None, *, seed: int, parts: int = PARTS
) -> npt.NDArray[np.intp]:
    """Return the part of each row, from 0 on: companies drawn into `parts` parts, failing companies and the others apart.

    All rows of a company are in one part. The draw depends on the set of companies, not on the order of rows. When there are
    fewer companies of a kind than parts, one is in part 0 and the others in part 1: part 0 calibrates, and both sides need one.

    Raises:
        ValueError: fewer than two companies fail, or fewer than two do not.

    >>> company_parts(np.array([True, True, False, False, False]), ["a", "b", "b", "c", "d"], seed=0).tolist()
    [0, 1, 1, 0, 1]

    """
    names = np.arange(target.size) if groups is None else np.asarray(groups)
    if names.shape != target.shape:
        raise ValueError(f"groups: expected {target.size} values, one per row, found shape {names.shape}")
    companies, position = np.unique(names, return_inverse=True)
    failing = np.bincount(position, weights=target, minlength=companies.size) > 0
    rng = np.random.default_rng(seed)
    drawn = np.zeros(companies.size, dtype=np.intp)
    for kind in (np.flatnonzero(failing), np.flatnonzero(~failing)):
        if kind.size < 2:  # noqa: PLR2004 - one to learn, one to calibrate
            raise ValueError(
                "target: expected failures and others, two companies of each class at least, "
                f"found {failing.sum()} failing companies of {companies.size}"
            )
        # The first part is rounded, as the share that calibrates alone; the others share what is left.
        held = max(round(kind.size / parts), 1)
        rank = np.empty(kind.size, dtype=np.intp)
        rank[rng.permutation(kind.size)] = np.arange(kind.size)
        rest = min(parts - 1, max(kind.size - held, 1)) if kind.size >= parts else 1
        drawn[kind] = np.where(rank < held, 0, 1 + (rank - held) % rest)
    return np.asarray(drawn[position])


def fit_platt_scaling(raw: Floats, target: Flags, weights: Floats) -> tuple[float, float]:
    """Return slope and intercept of the log-odds as a line in the raw score, by maximum likelihood.

    A raw score that decreases with the failure rate gets slope 0 and the mean failure rate: a negative slope would reverse
    every monotonic constraint and every explanation.
    """
    centre, spread = raw.mean(), raw.std() or 1.0
    scaled = ((raw - centre) / spread)[:, np.newaxis]
    line = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(scaled, target, sample_weight=weights)
    slope = float(line.coef_[0, 0]) / spread
    if slope <= 0:
        rate = float(np.average(target, weights=weights))
        return 0.0, float(np.log(rate / (1 - rate)))
    return float(slope), float(line.intercept_[0] - slope * centre)


@dataclass(frozen=True, slots=True)
class RateShift:
    """What was added to the log-odds so that the mean probability of some rows is their failure rate.

    `low` and `high` are the 95 % interval of `shift`: companies, not rows, are independent. `rate` is the failure rate.
    """

    shift: float
    low: float
    high: float
    rate: float


def rate_shift(log_odds: Floats, target: Flags, weights: Floats) -> float:
    """Return what to add to the log-odds of some rows so that their mean probability is their failure rate.

    >>> round(rate_shift(np.zeros(4), np.array([True, False, False, False]), np.ones(4)), 6)
    -1.098612
    """
    return _shift_to(log_odds, weights, float(weights[target].sum()))


def mean_shift(log_odds: Floats, mean: float) -> float:
    """Return what to add to the log-odds of some rows so that their mean probability is `mean`; 0 without rows, or at 0 or 1.

    >>> round(mean_shift(np.zeros(2), 0.25), 6)
    -1.098612
    """
    return _shift_to(log_odds, np.ones(log_odds.size), mean * log_odds.size) if log_odds.size and 0 < mean < 1 else 0.0


def _shift_to(log_odds: Floats, weights: Floats, total: float) -> float:
    """Return what to add to the log-odds so that the sum of weighted probabilities is `total`."""
    shift = 0.0
    # Newton's steps: the sum of probabilities is increasing in the shift, and a bounded step keeps it from overshooting.
    for _ in range(100):
        probability = expit(log_odds + shift)
        step = (total - float(weights @ probability)) / float(weights @ (probability * (1 - probability)))
        shift += float(np.clip(step, -1, 1))
        if abs(step) < 1e-10:  # noqa: PLR2004 - far below the noise of any rate
            break
    return shift


def shift_interval(
    shift: float, log_odds: Floats, target: Flags, weights: Floats, companies: npt.NDArray[np.generic]
) -> RateShift:
    """Return a shift with its interval; `log_odds` are those of the rows whose rate is followed, after the shift.

    The variance is that of the sum of residuals by company: the months of one company are nearly the same.
    """
    probability = expit(log_odds)
    _, position = np.unique(companies, return_inverse=True)
    residuals = np.bincount(position, weights=weights * (target - probability))
    error = float(np.sqrt(residuals @ residuals) / (weights @ (probability * (1 - probability))))
    half = NORMAL * error
    return RateShift(shift, shift - half, shift + half, float(np.average(target, weights=weights)))
