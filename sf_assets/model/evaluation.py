"""Figures of scores: thresholds chosen on one set of months, figures measured on later months."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from sf_assets.model.matrix import Flags, Floats

BETA_FORT = 0.5
BETA_MODERE = 2.0
# The grid of the former system. Its steps are coarse: where the mean probability is 2 %, one step moves thousands of companies.
REFERENCE_GRID: Floats = np.arange(101) / 100
CALIBRATION_BINS = 10


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The lowest scores of a moderate alert (best F2) and of a strong one (best F0.5)."""

    modere: float
    fort: float


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """The failure rate that probabilities refer to: that of the labelled months from `first` to `last`.

    `shift` was added to the log-odds to reach it; `low` and `high` are its 95 % interval.
    """

    first: date
    last: date
    rate: float
    shift: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A setting of a method with its mean log-loss over the rows that measure, and its difference from the first setting's.

    `error` is the standard error of the difference: companies, not rows, are independent.
    """

    setting: Mapping[str, Any]
    log_loss: float
    difference: float
    error: float


@dataclass(frozen=True, slots=True)
class ChosenSetting:
    """The setting chosen for a table, as parameters of the method, and the settings compared, the least log-loss first.

    Nothing was compared when too few companies fail; the setting is then the first.
    """

    setting: Mapping[str, Any]
    compared: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """The figures of one alert threshold; None means undefined, never zero."""

    threshold: float
    beta: float
    f_beta: float | None
    precision: float | None
    recall: float | None
    balanced_accuracy: float | None
    tn: int
    fp: int
    fn: int
    tp: int

    @property
    def volume(self) -> int:
        """The number of (company, month) rows in alert."""
        return self.tp + self.fp


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of scores on a set of (company, month) rows.

    Attributes:
        rows, failures: how many rows, and how many of them fail.
        roc_auc, average_precision, brier: as defined by scikit-learn.
        calibration_error: mean gap between score and failure rate over ten groups of equal size, in order of score.
        calibration_in_the_large: mean score less failure rate.
        modere, fort: the figures of the two levels.
        undefined: the reason of each None, by name of the figure.

    """

    rows: int
    failures: int
    roc_auc: float | None
    average_precision: float | None
    brier: float | None
    calibration_error: float | None
    calibration_in_the_large: float | None
    modere: LevelFigures
    fort: LevelFigures
    undefined: Mapping[str, str] = field(default_factory=dict)

    def flat(self) -> dict[str, float | None]:
        """Return every figure by name; the figures of a level have its name as prefix: `fort_precision`."""
        whole = asdict(self)
        levels = {name: whole.pop(name) | {"volume": getattr(self, name).volume} for name in ("modere", "fort")}
        whole.pop("undefined")
        return whole | {f"{name}_{key}": value for name, level in levels.items() for key, value in level.items()}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The two readings: companies already in a procedure left out, or counted as failures (as the former system does)."""

    hors_procedure: Figures
    toutes: Figures

    def rows(self) -> list[dict[str, object]]:
        """Return one row per figure and reading: `lecture`, `mesure`, `valeur` (None when undefined), `raison`."""
        return [
            {"lecture": lecture, "mesure": mesure, "valeur": valeur, "raison": measured.undefined.get(mesure)}
            for lecture, measured in (("hors_procedure", self.hors_procedure), ("toutes", self.toutes))
            for mesure, valeur in measured.flat().items()
        ]


def best_threshold(
    score: Floats, target: Flags, *, beta: float, candidates: npt.ArrayLike | None = None
) -> tuple[float, float]:
    """Return the threshold of the highest F-beta, and this F-beta; on ties, the lowest threshold.

    Rows with score >= threshold are in alert. `candidates` default to every distinct score, which is exact at any
    prevalence; with `REFERENCE_GRID` the threshold is the one of the former system.

    Raises:
        ValueError: there is no failure.

    >>> best_threshold(np.array([0.1, 0.4, 0.8]), np.array([False, True, True]), beta=2)
    (0.4, 1.0)

    """
    if not target.any():
        raise ValueError(f"threshold: expected failures among the {target.size} rows to choose on, found none")
    order = np.argsort(score, kind="stable")
    ascending = score[order]
    thresholds = np.unique(ascending if candidates is None else np.asarray(candidates, dtype=np.float64))
    first = np.searchsorted(ascending, thresholds, side="left")
    failures_from = np.append(np.cumsum(target[order][::-1])[::-1], 0)
    caught, alerts = failures_from[first], score.size - first
    f_beta = (1 + beta**2) * caught / (beta**2 * target.sum() + alerts)
    best = int(np.argmax(f_beta))
    return float(thresholds[best]), float(f_beta[best])


def choose_thresholds(score: Floats, target: Flags, en_procedure: Flags) -> Thresholds:
    """Return the thresholds of the best F2 and F0.5, on companies in no procedure.

    The strong threshold is never below the moderate one: up to a constant, F-beta is
    true positives / (beta² x failures + alerts), so that a larger beta never prefers fewer alerts.

    Raises:
        ValueError: no company in no procedure fails.

    """
    score, target = score[~en_procedure], target[~en_procedure]
    return Thresholds(
        modere=best_threshold(score, target, beta=BETA_MODERE)[0],
        fort=best_threshold(score, target, beta=BETA_FORT)[0],
    )


def evaluate(
    score: Floats, target: Flags, en_procedure: Flags, thresholds: Thresholds, *, probabilities: bool
) -> Evaluation:
    """Return the figures of both readings: companies already in a procedure left out, or counted as failures.

    `probabilities` says whether scores are probabilities; calibration is undefined otherwise.

    Raises:
        ValueError: the arrays differ in length, or a score is unknown.

    """
    if not len(score) == len(target) == len(en_procedure):
        raise ValueError(f"evaluation: expected equal lengths, found {len(score)}, {len(target)}, {len(en_procedure)}")
    if not np.isfinite(score).all():
        raise ValueError(f"evaluation: expected known scores, found {np.sum(~np.isfinite(score))} unknown")
    outside = ~en_procedure
    return Evaluation(
        hors_procedure=figures(score[outside], target[outside], thresholds, probabilities=probabilities),
        toutes=figures(score, target | en_procedure, thresholds, probabilities=probabilities),
    )


def figures(score: Floats, target: Flags, thresholds: Thresholds, *, probabilities: bool) -> Figures:
    """Return the figures of one set of rows; calibration is undefined unless scores are `probabilities`."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score  # noqa: PLC0415 - slow to load

    undefined: dict[str, str] = {}
    failures = int(target.sum())
    known: dict[str, Any] = {"roc_auc": None, "average_precision": None}
    if 0 < failures < target.size:
        known["roc_auc"] = float(roc_auc_score(target, score))
        known["average_precision"] = float(average_precision_score(target, score))
    else:
        reason = "no failure" if failures == 0 else "nothing but failures"
        undefined |= dict.fromkeys(known, f"{reason} among {target.size} rows")
    calibration = dict.fromkeys(("brier", "calibration_error", "calibration_in_the_large"))
    if not probabilities:
        undefined |= dict.fromkeys(calibration, "the score is no probability")
    elif not target.size:
        undefined |= dict.fromkeys(calibration, "no row")
    else:
        known["brier"] = float(brier_score_loss(target, score, pos_label=True))
        known["calibration_error"] = calibration_error(score, target)
        known["calibration_in_the_large"] = float(score.mean() - target.mean())
    modere = _level(score, target, thresholds.modere, BETA_MODERE)
    fort = _level(score, target, thresholds.fort, BETA_FORT)
    undefined |= _reasons("modere", modere) | _reasons("fort", fort)
    return Figures(
        rows=target.size, failures=failures, modere=modere, fort=fort, undefined=undefined, **(calibration | known)
    )


def calibration_error(score: Floats, target: Flags) -> float:
    """Return the mean of |mean score - failure rate| over ten groups of equal size, in order of score.

    >>> calibration_error(np.full(10, 0.5), np.arange(10) < 2)
    0.5
    """
    order = np.argsort(score, kind="stable")
    groups = [group for group in np.array_split(order, CALIBRATION_BINS) if group.size]
    return float(sum(group.size * abs(score[group].mean() - target[group].mean()) for group in groups) / score.size)


def _level(score: Floats, target: Flags, threshold: float, beta: float) -> LevelFigures:
    alert = score >= threshold
    tp, fp = int(np.sum(alert & target)), int(np.sum(alert & ~target))
    fn, tn = int(np.sum(~alert & target)), int(np.sum(~alert & ~target))
    recall = _ratio(tp, tp + fn)
    specificity = _ratio(tn, tn + fp)
    return LevelFigures(
        threshold=threshold,
        beta=beta,
        f_beta=_ratio((1 + beta**2) * tp, beta**2 * (tp + fn) + tp + fp),
        precision=_ratio(tp, tp + fp),
        recall=recall,
        balanced_accuracy=None if recall is None or specificity is None else (recall + specificity) / 2,
        tn=tn,
        fp=fp,
        fn=fn,
        tp=tp,
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _reasons(name: str, level: LevelFigures) -> dict[str, str]:
    """Return why each undefined ratio of a level is undefined, by name of the figure."""
    causes = {
        "f_beta": "neither failure nor alert",
        "precision": "no row in alert",
        "recall": "no failure",
        "balanced_accuracy": "failures or others are missing",
    }
    return {f"{name}_{key}": cause for key, cause in causes.items() if getattr(level, key) is None}
