#!/usr/bin/env bash
# scikit-learn 1.9.1: above 200,000 rows the weights of rows decide whether a gradient boosting on histograms can be fitted at
# all.
#
# Expected: `HistGradientBoostingClassifier` supports unknown values and weights: a feature known in 40 rows has their values
# as bins, and `sample_weight` changes how much a row counts, not whether its values are seen.
# Seen: above 200,000 rows the bins are found on 200,000 rows drawn by weight, with replacement. Of 250,000 rows, a feature
# known in 40 gets about 20 bounds between its values, where 199,999 rows give all 39. When its rows weigh 0.01 one or two of
# them are drawn, or none, depending on the seed; at 0.000001 none is. Without a drawn value the fit stops with numpy's
# "window shape cannot be larger than input array shape", which names neither the feature nor the reason. The size of that
# sample is no parameter of the class, so that a history that grows past it, or other weights, decide whether the next model
# can be trained.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

KNOWN = 40


def bins(rows, weight):
    """Return the number of bounds of a feature known in 40 rows of the given weight, or the error of the fit."""
    rng = np.random.default_rng(0)
    rare = np.full(rows, np.nan)
    rare[rng.choice(rows, KNOWN, replace=False)] = np.arange(KNOWN)
    common = rng.integers(0, 3, rows)
    weights = None if weight is None else np.where(np.isnan(rare), 1.0, weight)
    boosting = HistGradientBoostingClassifier(max_iter=1, early_stopping=False, random_state=0)
    try:
        boosting.fit(np.column_stack([common, rare]), common > 1, sample_weight=weights)
    except ValueError as error:
        return str(error)
    return len(boosting._bin_mapper.bin_thresholds_[1])


full = KNOWN - 1
answers = {
    "199,999 rows, known ones weigh 0.000001": (bins(199_999, 1e-6), lambda found: found == full),
    "250,000 rows without weights": (bins(250_000, None), lambda found: 10 < found < full),
    "250,000 rows, known ones weigh 0.01": (bins(250_000, 0.01), lambda found: found in (0, 1, 2) or "window shape" in str(found)),
    "250,000 rows, known ones weigh 0.000001": (bins(250_000, 1e-6), lambda found: "window shape" in str(found)),
}
changed = 0
for question, (found, as_seen) in answers.items():
    print(f"{question:42} {found}{'' if as_seen(found) else '   CHANGED'}")
    changed += not as_seen(found)
sys.exit(bool(changed))
PYTHON
