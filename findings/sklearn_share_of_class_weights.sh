#!/usr/bin/env bash
# scikit-learn 1.9.1: a forest that should see half of the rows sees nearly as many as there are, when one class weighs more.
#
# Expected: `max_samples=0.5` draws half as many rows as the data has for each tree, and `class_weight` says how much they
# count.
# Seen: since 1.9 the share is one of the sum of weights, class weights included, and rows are drawn by weight. Of 20,000 rows
# with 1 % of failures, 0.5 draws 10,000 rows; with `class_weight={False: 1, True: 9}` it draws 10,800, and with {False: 1,
# True: 99} 19,800. "balanced", which is 99 to 1 here too, draws 10,000, since its weights add up to the number of rows; so
# does "balanced_subsample". The same proportion of weights thus gives forests of other sizes by its scale. The docstring of
# `max_samples` speaks of `sample_weight` only (scikit-learn#31529). A whole number of rows is drawn as it is given.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from sklearn.ensemble import RandomForestClassifier

rng = np.random.default_rng(0)
rows = rng.normal(size=(20_000, 2))
failed = np.arange(20_000) < 200


def drawn(share, weight):
    """Return the number of draws of each tree."""
    forest = RandomForestClassifier(2, max_depth=3, max_samples=share, class_weight=weight, random_state=0).fit(rows, failed)
    return {round(tree.tree_.weighted_n_node_samples[0]) for tree in forest.estimators_}


SEEN = {
    (0.5, None): {10_000},
    (0.5, (1, 9)): {10_800},
    (0.5, (1, 99)): {19_800},
    (0.5, "balanced"): {10_000},
    (0.5, "balanced_subsample"): {10_000},
    (10_000, (1, 99)): {10_000},
}
changed = 0
for (share, weight), seen in SEEN.items():
    found = drawn(share, dict(zip((False, True), weight, strict=True)) if isinstance(weight, tuple) else weight)
    print(f"max_samples {share:<6} class_weight {weight!s:20} {found}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
