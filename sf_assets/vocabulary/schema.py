"""Declarations of columns, rules and tables, as frozen data. No I/O, no Dagster, no engine."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sf_assets.vocabulary.disclosure import NON_IDENTIFYING

Severity = Literal["error", "warning"]
# The owner of every table and its checks.
OWNER = "team:donnees"
# The largest finite double: infinity and NaN exceed it.
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Column:
    """One column, with the same meaning in every table that has it.

    `type` is a DuckDB type; `unit` is empty for texts, dates and flags; `pattern` is a regular expression that the whole
    value must match. A column counts as identifying (its values may name, locate or single out a company, an establishment
    or a person) unless its name is in `disclosure` or, for generated columns, `non_identifying` is set.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    pattern: str | None = None
    non_identifying: bool = False

    @property
    def identifies(self) -> bool:
        """Whether values may identify a company or a person: they then stay in the warehouse and in the lists."""
        return not (self.non_identifying or self.name in NON_IDENTIFYING)


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on the rows of a table, as a Great Expectations expectation.

    `expectation` is the name of a class of `great_expectations.expectations` and `arguments` its keyword arguments.
    With severity `error`, a failed rule blocks the assets that read the table; with `warning`, it only informs. `advice`
    says what an operator should do about a failure.
    """

    name: str
    expectation: str
    arguments: Mapping[str, Any] = field(hash=False)
    advice: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the warehouse. Its rows are written by month: the first column, `month`, is the batch month of the row.

    `grain` completes the sentence "one row is …". `columns` does not include `month`. `key` identifies a row within a
    month; with an empty key, duplicates are allowed. `rules` are added to the rules that columns and key imply.
    `partition_by_month` stores each month in files of its own; use it only for tables written many months at a time, because
    it doubles the time of writing. Other tables store each write in one file, since every statement reads the whole list
    of files in the catalog.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = field(default=(), hash=False)
    may_be_empty: bool = False
    partition_by_month: bool = False
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the declared columns, in order, without `month`."""
        return tuple(column.name for column in self.columns)


def no_rows(name: str, query: str, advice: str, severity: Severity = "error") -> Rule:
    """Return a rule that refuses every row that `query` returns; `{batch}` stands for the month's rows of the table."""
    return Rule(name, "UnexpectedRowsExpectation", {"unexpected_rows_query": query}, advice, severity)


def between(
    column: str,
    low: float | None,
    high: float | None,
    advice: str,
    severity: Severity = "error",
    *,
    finite: bool = True,
) -> Rule:
    """Return a rule that refuses values of `column` outside [low, high]; NULL passes.

    NaN and infinity are refused unless `finite` is false.
    """
    # DuckDB sorts NaN above infinity, and an open bound accepts both: a missing bound becomes the largest finite number.
    ends = (-LARGEST, LARGEST) if finite else (None, None)
    arguments = {
        "column": column,
        "min_value": ends[0] if low is None else low,
        "max_value": ends[1] if high is None else high,
    }
    return Rule(f"{column}_in_range", "ExpectColumnValuesToBeBetween", arguments, advice, severity)


def not_null(column: str, advice: str, severity: Severity = "error") -> Rule:
    """Return a rule that refuses NULL in `column`."""
    return Rule(f"{column}_present", "ExpectColumnValuesToNotBeNull", {"column": column}, advice, severity)
