"""What must hold before a table is read: the rules its declaration implies, its own, and probes computed in Python."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sf_assets.engine.storage import Session
from sf_assets.vocabulary.schema import LARGEST, OWNER, Rule, Severity, Table, no_rows, not_null

NOT_EMPTY = "not_empty"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What judging one rule on one month found.

    `unexpected_count` counts what the rule refuses among `element_count`; `sample` holds a few keys of it, never other
    columns; `query` reproduces it. When `error` is filled the judgement itself failed: nothing is known about the data.
    `value` is what a tolerance measured, kept for the months to come, and `statement` says it in a sentence.
    """

    passed: bool
    unexpected_count: int = 0
    element_count: int = 0
    sample: tuple[Mapping[str, str], ...] = ()
    query: str = ""
    error: str = ""
    value: float | None = None
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A judgement no single expectation can state: a file is as promised, a model no worse, a list plausible.

    `judge` reads the warehouse for one month; `meaning` completes the sentence "the month is sound if …".
    """

    name: str
    judge: Callable[[Session, date], Outcome]
    meaning: str
    advice: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Suite:
    """Everything asked of one asset each month.

    `table` holds the rows that tell the state of the asset, among them those where the columns of `scope` have its
    values: a verdict on rows that were written again since is void. Without a table a verdict never ages. `owner` answers
    for what fails, whoever delivered it.

    Raises:
        ValueError: two rules or probes share a name, or rules come without a table.

    """

    asset: str
    table: Table | None = None
    rules: tuple[Rule, ...] = ()
    probes: tuple[Probe, ...] = ()
    scope: Mapping[str, str] = field(default_factory=dict)
    owner: str = OWNER

    def __post_init__(self) -> None:
        names = [check.name for check in self.checks]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.asset}: check names must be unique, found twice: {', '.join(repeated)}")
        if self.rules and self.table is None:
            raise ValueError(f"{self.asset}: rules need a table, found none")

    @property
    def checks(self) -> tuple[Rule | Probe, ...]:
        """Rules, then probes, in order of declaration."""
        return self.rules + self.probes


def rules_of(table: Table) -> tuple[Rule, ...]:
    """Return the rules that the declaration of `table` implies, then its own.

    Rows exist unless the table may be empty; key columns are filled; a key appears once; texts with a pattern match it.
    """
    return (*_presence(table), *_key(table), *_patterns(table), *table.rules)


def splits_by_month(rule: Rule) -> bool:
    """Tell whether judging several months at once says the same as judging each: rows count one by one, or by month."""
    query = rule.arguments.get("unexpected_rows_query", "")
    aggregates = "group by" in query or "having" in query
    return rule.expectation.startswith("ExpectColumnValues") or (
        bool(query) and (not aggregates or "group by month" in query)
    )


def describe_check(check: Rule | Probe) -> str:
    """Say in one sentence what a check demands."""
    if isinstance(check, Probe):
        return f"The month is sound if {check.meaning}."
    arguments = check.arguments
    match check.expectation:
        case "UnexpectedRowsExpectation":
            return f"No row answers `{arguments['unexpected_rows_query']}`."
        case "ExpectColumnValuesToNotBeNull":
            return f"`{arguments['column']}` is always filled."
        case "ExpectColumnValuesToBeBetween":
            low, high = arguments.get("min_value"), arguments.get("max_value")
            bounds = [f"at least {low}"] * (low not in (None, -LARGEST))
            bounds += [f"at most {high}"] * (high not in (None, LARGEST))
            bounds += ["finite"] * (low == -LARGEST or high == LARGEST)
            return f"`{arguments['column']}` is {' and '.join(bounds)}, or unknown."
        case _:
            said = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            return f"{check.expectation}({said})."


def _presence(table: Table) -> tuple[Rule, ...]:
    if table.may_be_empty:
        return ()
    advice = "Look whether the month's files arrived and whether the tables it is built from have rows."
    return (Rule(NOT_EMPTY, "ExpectTableRowCountToBeBetween", {"min_value": 1}, advice),)


def _key(table: Table) -> tuple[Rule, ...]:
    if not table.key:
        return ()
    filled = "A row without it cannot be identified: look at what builds the column."
    key = ", ".join(table.key)
    # One aggregation: half the time of the expectation on compound columns, which joins the table to its own counts.
    query = f"select {key}, count(*) as copies from {{batch}} group by month, {key} having count(*) > 1"
    once = f"Two rows share ({key}): look for a file loaded twice or a join that multiplies rows."
    return (*(not_null(column, filled) for column in table.key), no_rows("key_unique", query, once))


def _patterns(table: Table) -> tuple[Rule, ...]:
    # Great Expectations has no regular expression for DuckDB: the query says it.
    return tuple(
        no_rows(
            f"{column.name}_well_formed",
            f"select * from {{batch}} where not regexp_full_match({column.name}, {_quoted(column.pattern)})",
            f"Values must match {column.pattern}: look at the file that brought them and at how it is read.",
        )
        for column in table.columns
        if column.pattern is not None
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
