"""Alert thresholds: by the best F-beta, by a wanted length of the list, or by a wanted precision."""

from dataclasses import dataclass

import numpy as np

from sf_assets.model.evaluation import Thresholds, choose_thresholds
from sf_assets.model.matrix import Flags, Floats


@dataclass(frozen=True, slots=True)
class AlertRule:
    """The rule that chooses the thresholds of both levels on the validation months, companies in a procedure left out.

    With neither shares nor precisions, the thresholds are those of the best F0.5 and F2 (rules §11.1).

    Attributes:
        shares: wanted shares of companies in alert, from 0 to 1: strong level, then both levels together.
        precisions: wanted shares of alerts that fail, from 0 to 1, in the same order.

    """

    shares: tuple[float, ...] = ()
    precisions: tuple[float, ...] = ()

    def thresholds(self, score: Floats, target: Flags, en_procedure: Flags) -> Thresholds:
        """Return the thresholds of both levels.

        Args:
            score: the score of each row.
            target: whether each row fails within the horizon.
            en_procedure: whether the company was in a procedure at the cut-off; such rows are left out.

        Raises:
            ValueError: there is no row, or no failure where the rule needs one.

        """
        outside, failed = score[~en_procedure], target[~en_procedure]
        if self.shares:
            fort, modere = (threshold_of_share(outside, share) for share in self.shares)
        elif self.precisions:
            fort, modere = (threshold_of_precision(outside, failed, precision) for precision in self.precisions)
        else:
            return choose_thresholds(score, target, en_procedure)
        return Thresholds(modere=min(modere, fort), fort=fort)


def threshold_of_share(score: Floats, share: float) -> float:
    """Return the lowest of the highest scores, of which `share` (0 to 1) are in alert; ties may add a few rows.

    Raises:
        ValueError: there is no score.

    >>> threshold_of_share(np.array([0.1, 0.4, 0.2, 0.3]), 0.5)
    0.3

    """
    if not score.size:
        raise ValueError("threshold: expected scores to choose on, found none")
    wanted = max(int(np.ceil(share * score.size)), 1)
    return float(np.partition(score, score.size - wanted)[score.size - wanted])


def threshold_of_precision(score: Floats, target: Flags, precision: float) -> float:
    """Return the lowest score from which at least `precision` (0 to 1) of the rows in alert fail.

    When no score reaches this precision, return the score of the highest precision.

    Raises:
        ValueError: there is no failure.

    >>> threshold_of_precision(np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, True, False, True]), 0.6)
    0.2

    """
    if not target.any():
        raise ValueError(f"threshold: expected failures among the {target.size} rows to choose on, found none")
    order = np.argsort(-score, kind="stable")
    descending = score[order]
    # Rows of equal score are in alert together: only the last row of each score gives the precision of a threshold.
    last = np.append(descending[1:] != descending[:-1], True)
    reached = (np.cumsum(target[order]) / np.arange(1, score.size + 1))[last]
    enough = np.flatnonzero(reached >= precision)
    return float(descending[last][enough[-1] if enough.size else int(np.argmax(reached))])
