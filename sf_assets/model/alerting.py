"""From which score a company is in alert: the best F-beta, a wanted length of the list, or a wanted precision."""

from dataclasses import dataclass

import numpy as np

from sf_assets.model.evaluation import Thresholds, choose_thresholds
from sf_assets.model.matrix import Flags, Floats


@dataclass(frozen=True, slots=True)
class AlertRule:
    """How the thresholds of both levels are chosen on the validation months, companies in a procedure left out.

    `shares` are the shares of companies in alert, `precisions` the shares of alerts that fail: strong first, then
    moderate, which contains it. With neither, thresholds are those of the best F0.5 and F2 (rules §11.1).
    """

    shares: tuple[float, ...] = ()
    precisions: tuple[float, ...] = ()

    def thresholds(self, score: Floats, target: Flags, en_procedure: Flags) -> Thresholds:
        """Return the thresholds; raise `ValueError` without a row, or without a failure where one is needed."""
        kept, failed = score[~en_procedure], target[~en_procedure]
        if self.shares:
            fort, modere = (threshold_of_share(kept, share) for share in self.shares)
        elif self.precisions:
            fort, modere = (threshold_of_precision(kept, failed, precision) for precision in self.precisions)
        else:
            return choose_thresholds(score, target, en_procedure)
        return Thresholds(modere=min(modere, fort), fort=fort)


def threshold_of_share(score: Floats, share: float) -> float:
    """Return the lowest score of the `share` highest ones; equal scores may bring a few more in alert.

    >>> threshold_of_share(np.array([0.1, 0.4, 0.2, 0.3]), 0.5)
    0.3
    """
    if not score.size:
        raise ValueError("threshold: expected scores to choose on, found none")
    wanted = max(int(np.ceil(share * score.size)), 1)
    return float(np.partition(score, score.size - wanted)[score.size - wanted])


def threshold_of_precision(score: Floats, target: Flags, precision: float) -> float:
    """Return the lowest score from which at least `precision` of the alerts fail.

    When no score reaches it, the answer is the one of the highest precision: the list is then as sure as it can be.

    >>> threshold_of_precision(np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, True, False, True]), 0.6)
    0.2
    """
    if not target.any():
        raise ValueError(f"threshold: expected failures among the {target.size} rows to choose on, found none")
    order = np.argsort(-score, kind="stable")
    descending = score[order]
    # Equal scores are in alert together: the last row of each tells.
    last = np.append(descending[1:] != descending[:-1], True)
    reached = (np.cumsum(target[order]) / np.arange(1, score.size + 1))[last]
    enough = np.flatnonzero(reached >= precision)
    return float(descending[last][enough[-1] if enough.size else int(np.argmax(reached))])
