"""What the methods made of trees share: the exact SHAP values of an ensemble, and the usual value of each feature."""

from typing import Any

import numpy as np

from sf_assets.model.matrix import Floats


def tree_parts(ensemble: Any, matrix: Floats) -> Floats:
    """Return the exact SHAP values of the last output of a fitted ensemble, rows x features, along the paths of its trees.

    A feature that is not known follows the learning rows, in their proportions at each node. With `tree_base` the values
    add up to the output: the mean vote of a forest, the log-odds of a boosting.
    """
    values = np.asarray(_explainer(ensemble).shap_values(matrix, check_additivity=False))
    # A forest votes for both classes, a boosting has one output.
    return np.asarray(values[:, :, -1] if values.ndim == 3 else values, dtype=np.float64)  # noqa: PLR2004


def tree_base(ensemble: Any) -> float:
    """Return the mean output over the learning rows, as the trees of a fitted ensemble hold it."""
    return float(np.ravel(_explainer(ensemble).expected_value)[-1])


def medians(matrix: Floats) -> Floats:
    """Return the median of the known values of each column, 0 where none is known.

    >>> medians(np.array([[1.0, np.nan], [4.0, np.nan], [2.0, np.nan]])).tolist()
    [2.0, 0.0]
    """
    return np.array([np.median(known) if (known := column[~np.isnan(column)]).size else 0.0 for column in matrix.T])


def _explainer(ensemble: Any) -> Any:
    # The library compiles for seconds when it is imported; only explanations need it.
    import shap  # noqa: PLC0415

    return shap.TreeExplainer(ensemble, feature_perturbation="tree_path_dependent")
