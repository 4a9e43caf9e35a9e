"""Validate the inputs of estimators: features as a float matrix in a fixed order, target as two classes, weights as floats.

Where scikit-learn has a sentence for a refusal, it is used as it is: `check_estimator` looks for it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# A polars or pandas frame, a lazy polars frame, or a matrix.
Rows = Any


def names_of(rows: Rows) -> tuple[str, ...] | None:
    """Return the names of the columns of a table; None for a matrix, and for a frame whose columns have no names.

    >>> names_of(pl.LazyFrame({"b": [1], "a": [2]})), names_of(np.zeros((2, 3)))
    (('b', 'a'), None)
    """
    if isinstance(rows, pl.LazyFrame):
        return tuple(rows.collect_schema().names())
    columns = list(getattr(rows, "columns", ()))
    return tuple(columns) if columns and all(isinstance(name, str) for name in columns) else None


def numbered(count: int) -> tuple[str, ...]:
    """Return the names of the columns of a matrix, which has none.

    >>> numbered(3)
    ('x0', 'x1', 'x2')
    """
    return tuple(f"x{i}" for i in range(count))


def as_matrix(rows: Rows, features: Sequence[str] | None, *, owner: str = "method", least: int = 0) -> Floats:
    """Return the features as float64, rows x features in the order of `features`, NaN where unknown.

    A frame of polars or pandas is read by column names and may hold other columns; a matrix must hold the features, in
    order.

    Args:
        rows: the table.
        features: names of the features; None for all columns of a matrix.
        owner: name of the class that reads, for messages.
        least: fewest rows accepted.

    Raises:
        ValueError: columns are missing, repeated, not numeric or infinite, with their names; or rows are too few.

    >>> as_matrix(pl.DataFrame({"siren": ["1"], "b": [None], "a": [2]}, schema_overrides={"b": pl.Float64}), ("a", "b"))
    array([[ 2., nan]])

    """
    from sklearn.utils.validation import check_array  # noqa: PLC0415 - slow to load

    values = rows if features is None or names_of(rows) is None else _numbers(rows, features)
    matrix = np.asarray(
        check_array(values, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=least, input_name="X")
    )
    features = numbered(matrix.shape[1]) if features is None else features
    if matrix.shape[1] != len(features):
        raise ValueError(
            f"X has {matrix.shape[1]} features, but {owner} is expecting {len(features)} features as input: give a matrix of "
            f"{len(features)} columns in their order, or a frame with columns of their names"
        )
    infinite = [name for name, wrong in zip(features, np.isinf(matrix).any(axis=0), strict=True) if wrong]
    if infinite:
        raise ValueError(f"features: expected finite or unknown values, found infinity in {', '.join(infinite)}")
    return matrix


def _numbers(rows: Rows, features: Sequence[str]) -> Floats:
    """Return the features of a frame with named columns."""
    frame = _frame(rows, features)
    # A column in which nothing is known has no type, or that of texts in pandas.
    texts = [
        name
        for name in features
        if not (frame[name].dtype.is_numeric() or frame[name].dtype == pl.Boolean)
        and frame[name].null_count() < frame.height
    ]
    if texts:
        raise ValueError(
            f"features: expected numbers in {', '.join(texts)}, found {frame[texts[0]].dtype}. "
            "Name the columns to learn from in `features`"
        )
    return frame.select(pl.col(list(features)).cast(pl.Float64)).to_numpy()


def _frame(rows: Rows, features: Sequence[str]) -> pl.DataFrame:
    """Return the columns of a frame that hold the features."""
    known = names_of(rows) or ()
    missing = [name for name in features if name not in known]
    if missing:
        raise ValueError(f"features: expected columns {', '.join(missing)}, found none of that name")
    repeated = sorted({name for name in features if known.count(name) > 1})
    if repeated:
        raise ValueError(f"features: expected one column of each name, found several of {', '.join(repeated)}")
    if isinstance(rows, pl.LazyFrame):
        return rows.select(features).collect()
    return rows if isinstance(rows, pl.DataFrame) else pl.from_pandas(rows[list(features)])


def as_target(target: npt.ArrayLike, rows: int) -> tuple[Flags, npt.NDArray[Any]]:
    """Return which rows are of the second class, and the two classes in order: False and True, 0 and 1, or any two labels.

    Booleans and 0/1 may hold one class only.

    Raises:
        ValueError: the length differs from `rows`, a value is unknown, or there are not two classes.

    >>> as_target([1, 2, 1], 3)
    (array([False,  True, False]), array([1, 2]))

    """
    from sklearn.utils.multiclass import check_classification_targets, type_of_target  # noqa: PLC0415 - slow to load
    from sklearn.utils.validation import column_or_1d  # noqa: PLC0415

    array = column_or_1d(target, warn=True)
    if array.shape != (rows,):
        raise ValueError(f"target: expected {rows} values, one per row, found shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("target: expected true or false in every row, found unknown values (NaN or infinity)")
    if array.dtype == object and any(value is None or value != value for value in array):  # noqa: PLR0124 - NaN
        raise ValueError("target: expected true or false in every row, found unknown values")
    if not rows or (array.dtype.kind in "biuf" and np.isin(array, (0, 1)).all()):
        return array.astype(np.bool_), np.array([0, 1]).astype(array.dtype)
    check_classification_targets(array)
    classes = np.unique(array)
    kind = type_of_target(array)
    if kind != "binary":
        raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
    if classes.size == 1:
        raise ValueError(f"target: expected two classes, found one class, {classes[0]}")
    return array == classes[1], classes


def as_weights(weights: npt.ArrayLike | None, rows: int) -> Floats:
    """Return the weight of each row, 1 by default.

    Raises:
        ValueError: the length differs from `rows`, a weight is negative or not finite, or all are zero.

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
    if rows and not array.any():
        raise ValueError("weights: expected a weight above zero in some row, found only zeros")
    return array
