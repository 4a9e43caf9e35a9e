"""Validate the inputs of estimators: features as a float matrix in a fixed order, target as booleans, weights as floats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = pl.DataFrame | npt.NDArray[Any]


def as_matrix(rows: Rows, features: Sequence[str]) -> Floats:
    """Return the features as float64, rows x features in the order of `features`, NaN where unknown.

    A frame is read by column names and may hold other columns; a matrix must hold the features, in order.

    Raises:
        ValueError: columns are missing, not numeric or infinite; the message names them.

    >>> as_matrix(pl.DataFrame({"siren": ["1"], "b": [None], "a": [2]}, schema_overrides={"b": pl.Float64}), ("a", "b"))
    array([[ 2., nan]])

    """
    if isinstance(rows, pl.DataFrame):
        missing = [name for name in features if name not in rows.columns]
        if missing:
            raise ValueError(f"features: expected columns {', '.join(missing)}, found none of that name")
        texts = [name for name in features if not (rows[name].dtype.is_numeric() or rows[name].dtype == pl.Boolean)]
        if texts:
            raise ValueError(f"features: expected numbers in {', '.join(texts)}, found {rows[texts[0]].dtype}")
        matrix = rows.select(pl.col(list(features)).cast(pl.Float64)).to_numpy()
    else:
        matrix = np.asarray(rows, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != len(features):  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(f"features: expected a matrix of {len(features)} columns, found shape {matrix.shape}")
    infinite = [name for name, wrong in zip(features, np.isinf(matrix).any(axis=0), strict=True) if wrong]
    if infinite:
        raise ValueError(f"features: expected finite or unknown values, found infinity in {', '.join(infinite)}")
    return matrix


def as_target(target: npt.ArrayLike, rows: int) -> Flags:
    """Return the target as booleans.

    Raises:
        ValueError: the length differs from `rows`, or a value is neither true nor false.

    """
    array = np.asarray(target)
    if array.shape != (rows,):
        raise ValueError(f"target: expected {rows} values, one per row, found shape {array.shape}")
    if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
        raise ValueError("target: expected true or false in every row, found other or unknown values")
    return array.astype(np.bool_)


def as_weights(weights: npt.ArrayLike | None, rows: int) -> Floats:
    """Return the weight of each row, 1 by default.

    Raises:
        ValueError: the length differs from `rows`, or a weight is negative or not finite.

    >>> as_weights(None, 2).tolist()
    [1.0, 1.0]

    """
    if weights is None:
        return np.ones(rows)
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (rows,):
        raise ValueError(f"weights: expected {rows} values, one per row, found shape {array.shape}")
    if not (np.isfinite(array) & (array >= 0)).all():
        raise ValueError("weights: expected finite numbers from 0 on, found others")
    return array
