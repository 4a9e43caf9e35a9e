"""Population stability index: how far the distribution of a quantity moved between two months."""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_BINS = 10
_LEAST = 1e-4  # share of an empty bin: above zero, so that its logarithm exists


def stability(before: Values, after: Values) -> float:
    """Return the population stability index of two samples of one quantity; NaN means unknown and counts as a value.

    It is the sum over bins of (a - b) ln(a / b), for the shares a and b of the two samples in the deciles of the first
    one. Below 0.1 is usual, above 0.25 deserves an explanation. Formula: Siddiqi, Credit Risk Scorecards (2006).

    >>> stability(np.arange(100.0), np.arange(100.0))
    0.0
    """
    if not before.size or not after.size:
        return 0.0
    known = before[~np.isnan(before)]
    # Values above the largest known one have their own bin: without it, a constant would have a single bin.
    inner = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]) if known.size else known
    edges = np.unique(np.append(inner, np.nextafter(known.max(), np.inf)) if known.size else inner)
    b, a = _shares(before, edges), _shares(after, edges)
    return round(float(np.sum((a - b) * np.log(a / b))), 4)


def _shares(values: Values, edges: Values) -> Values:
    known = values[~np.isnan(values)]
    counted = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    counts = np.append(counted, values.size - known.size).astype(np.float64)
    shares: Values = np.maximum(counts / values.size, _LEAST)
    return shares
