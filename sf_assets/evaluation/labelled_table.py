"""A labelled table of anyone: its columns of company, period and outcome are named by its owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets.engine.errors import describe_error
from sf_assets.evaluation.table_columns import features_of
from sf_assets.model.columns import Names
from sf_assets.model.matrix import Flags, as_target
from sf_assets.vocabulary.failures import UserError


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """A table to learn from and to measure on.

    Attributes:
        rows: the features.
        features: their names, in order.
        left_out: columns that no method reads: neither numbers nor categories, or categories of too few companies each.
        company: the company of each row, as a number.
        period: the position of each row's period among `periods`.
        periods: the periods in order, as text.
        target: whether each row failed: the second of the two labels, in order.

    """

    rows: pl.DataFrame
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    company: npt.NDArray[np.intp]
    period: npt.NDArray[np.intp]
    periods: tuple[str, ...]
    target: Flags


def read_table(path: Path, names: Names, features: Sequence[str] = (), *, with_ratios: bool = False) -> LabelledTable:
    """Read a panel from a Parquet or CSV file.

    Args:
        path: the file, one row per company and period.
        names: the names of its columns of company, outcome and period.
        features: columns to learn from: by default all that hold numbers or categories.
        with_ratios: whether ratios of the numeric columns are features too.

    Raises:
        UserError: the file cannot be read, has no row or no such column, a company, period or outcome is unknown, the outcome
            has not two values, or no column can be learned from.

    """
    if not path.is_file():
        raise UserError(f"{path}: expected a Parquet or CSV file, found none")
    try:
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        form = "CSV with commas" if path.suffix == ".csv" else "Parquet"
        # The message may quote a value.
        raise UserError(
            f"{path}: expected a {form} file, found one that cannot be read ({describe_error(error)})"
        ) from None
    keys = [name for name in (names.group, names.target, names.period) if name]
    missing = [name for name in (*keys, *features) if name not in frame.columns]
    if missing:
        raise UserError(f"{path}: expected columns {', '.join(missing)}, found {', '.join(frame.columns)}")
    if not frame.height:
        raise UserError(f"{path}: expected rows, found none")
    for name in keys:
        if unknown := frame[name].null_count():
            raise UserError(
                f"{path}: expected a value of {name} in every row, found {unknown} rows without. Remove them"
            )
    rows = frame.drop(keys)
    try:
        target, _ = as_target(frame[names.target].to_numpy(), frame.height)
    except ValueError as error:
        raise UserError(f"{path}, column {names.target}: {error}") from error
    learned, left_out = features_of(rows, features, frame[names.group], with_ratios=with_ratios)
    if not learned.width:
        raise UserError(
            f"{path}: expected columns of numbers or categories to learn from, found {', '.join(features or left_out) or 'none'}"
        )
    period = frame[names.period] if names.period else pl.Series([""]).new_from_index(0, frame.height)
    periods = period.unique().sort()
    return LabelledTable(
        rows=learned,
        features=tuple(learned.columns),
        left_out=left_out,
        company=_positions(frame[names.group], frame[names.group].unique().sort()),
        period=_positions(period, periods),
        periods=tuple(str(one) for one in periods),
        target=target,
    )


def _positions(values: pl.Series, names: pl.Series) -> npt.NDArray[np.intp]:
    found = pl.DataFrame({"name": values}).join(
        pl.DataFrame({"name": names}).with_row_index(), on="name", maintain_order="left", how="left"
    )
    return found["index"].to_numpy().astype(np.intp)
