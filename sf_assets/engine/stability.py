"""The population stability index (PSI): how far the distribution of a sample lies from that of a reference.

The index is the sum over bins of (q - p) ln(q / p), where p and q are the shares of the reference and of the sample in
bins cut at the deciles of the reference. Below 0.10 both hold the same population; above 0.25 they differ. Formula and
limits: Siddiqi, Credit Risk Scorecards (2006).
"""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_BINS = 10
# The share of an empty bin: its logarithm must exist, and an empty bin of a sample means "rare", not "impossible".
_EMPTY_BIN_SHARE = 1e-4


def stability_index(reference: Values, current: Values) -> float:
    """Return the index of two samples of known values, NaN when one of them is empty.

    Deciles that fall on the same value are one bound: a value that fills several deciles has one bin.

    >>> stability_index(np.arange(100.0), np.arange(100.0))
    0.0
    """
    if not reference.size or not current.size:
        return float("nan")
    bounds = np.unique(np.quantile(reference, np.arange(1, _BINS) / _BINS, method="inverted_cdf"))
    p, q = (
        np.bincount(np.searchsorted(bounds, values, side="left"), minlength=bounds.size + 1)
        for values in (reference, current)
    )
    return _index(p, q)


def stability_index_with_unknown(reference: Values, current: Values) -> float:
    """Return the index of two samples in which NaN means unknown and has a bin of its own; 0 when one of them is empty.

    The index therefore also moves when a value becomes known of fewer companies. Values above the largest known value of
    the reference have a bin of their own, so that a constant that changes is seen. Rounded to four decimals.

    >>> stability_index_with_unknown(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    0.0
    """
    if not reference.size or not current.size:
        return 0.0
    known = reference[~np.isnan(reference)]
    bounds = known
    if known.size:
        deciles = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])
        bounds = np.unique(np.append(deciles, np.nextafter(known.max(), np.inf)))
    return round(_index(*(_counts_with_unknown(values, bounds) for values in (reference, current))), 4)


def _counts_with_unknown(values: Values, bounds: Values) -> npt.NDArray[np.intp]:
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(bounds, known, side="right"), minlength=bounds.size + 1)
    return np.append(counts, values.size - known.size)


def _index(reference: npt.NDArray[np.intp], current: npt.NDArray[np.intp]) -> float:
    """Return the index of the counts of two samples in the same bins."""
    p, q = (np.maximum(counts / counts.sum(), _EMPTY_BIN_SHARE) for counts in (reference, current))
    return float(np.sum((q - p) * np.log(q / p)))
