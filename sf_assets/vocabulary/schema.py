"""The frozen vocabulary of the project: columns, rules, tables. No I/O, no Dagster, no engine."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sf_assets.vocabulary.disclosure import NON_IDENTIFYING

Severity = Literal["error", "warning"]
# Who answers for every table and its checks; a project of several teams would give each its own.
OWNER = "team:donnees"
# The largest number that is one: a bound that infinity and NaN do not meet.
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Column:
    """One quantity, which means the same in every table that has it.

    `type` is a DuckDB type; `unit` is empty for texts, dates and flags; `pattern` is a regular expression
    the whole value must match. A column counts as naming, locating or singling out a company, an establishment or a person
    until it is declared otherwise, by its name in `disclosure` or, for columns made by the dozen, by `non_identifying`.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    pattern: str | None = None
    non_identifying: bool = False

    @property
    def identifies(self) -> bool:
        """Tell whether values may be somebody's: they stay in the warehouse and in the lists."""
        return not (self.non_identifying or self.name in NON_IDENTIFYING)


@dataclass(frozen=True, slots=True)
class Rule:
    """What rows must satisfy, as one Great Expectations expectation.

    `expectation` is the name of a class of `great_expectations.expectations` and `arguments` its keyword arguments.
    Severity `error` blocks what depends on the table, `warning` is a note. `advice` tells an operator what to do.
    """

    name: str
    expectation: str
    arguments: Mapping[str, Any] = field(hash=False)
    advice: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the warehouse, kept by month: the first column, `month`, is the batch month it was built for.

    `grain` completes the sentence "one row is …". `columns` does not repeat `month`. `key` identifies a row within a
    month; an empty key means that duplicates are legitimate. `rules` come on top of those that columns and key imply.
    `partition_by_month` is for tables of which one write makes the rows of a whole history: each month then goes to files of its
    own. Others need not be parted so, which doubles the time of writing: a write is one file, of one month or, where steps
    write a few rows about many months, of all these, as the catalog is read through for every statement.
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
    """Refuse every row that `query` returns; `{batch}` in it stands for the month's rows of the table."""
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
    """Refuse values of `column` outside [low, high], and NaN and infinity unless `finite` is false; NULL passes."""
    # The engine sorts NaN above infinity: an open side lets both pass.
    ends = (-LARGEST, LARGEST) if finite else (None, None)
    arguments = {
        "column": column,
        "min_value": ends[0] if low is None else low,
        "max_value": ends[1] if high is None else high,
    }
    return Rule(f"{column}_in_range", "ExpectColumnValuesToBeBetween", arguments, advice, severity)


def not_null(column: str, advice: str, severity: Severity = "error") -> Rule:
    """Refuse NULL in `column`."""
    return Rule(f"{column}_present", "ExpectColumnValuesToNotBeNull", {"column": column}, advice, severity)
