"""The checks of a table: rules that its declaration implies, rules of its own, and probes computed in Python."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from sf_assets.engine.quality.measures import Tolerance
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.vocabulary.schema import LARGEST, OWNER, Rule, Severity, Table, no_rows, not_null

NOT_EMPTY = "not_empty"
FINITE = "numbers_finite"
DECIMAL = ("DOUBLE", "FLOAT")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one check on one month.

    `unexpected_count` counts the refused rows among `element_count`; `sample` holds the keys of a few of them, never other
    columns; `query` returns them. When `error` is filled the check itself failed: the state of the data is unknown.
    `value` is the measure of a tolerance, stored for comparison with later months, and `statement` states it in words.
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
    """A check that no single expectation can state: a file has its promised form, a list has a plausible length.

    `run` reads the warehouse for one month; `meaning` completes the sentence "the month passes if …". The probe of a
    `tolerance` can also be asked about many months, together with the other tolerances of its asset (`measuring.py`).
    """

    name: str
    run: Callable[[Session, date], Outcome]
    meaning: str
    advice: str
    severity: Severity = "error"
    tolerance: Tolerance | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """All checks of one asset, run for each month.

    The rows of the asset are the rows of `table` in which the columns of `scope` have its values; a verdict on rows that
    were written again since is void. Without a table a verdict never expires. `owner` is responsible for failed checks.
    `beside` are tables of which several checks read the same months as those of the asset.

    Raises:
        ValueError: two rules or probes share a name, or rules come without a table.

    """

    asset: str
    table: Table | None = None
    rules: tuple[Rule, ...] = ()
    probes: tuple[Probe, ...] = ()
    scope: Mapping[str, str] = field(default_factory=dict)
    owner: str = OWNER
    beside: tuple[Table, ...] = ()

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

    def only(self, names: Iterable[str]) -> "Suite":
        """Return the suite with the named checks alone."""
        wanted = set(names)
        rules = tuple(rule for rule in self.rules if rule.name in wanted)
        probes = tuple(probe for probe in self.probes if probe.name in wanted)
        return replace(self, rules=rules, probes=probes)

    @property
    def tolerances(self) -> tuple[Tolerance, ...]:
        """The tolerances among the probes, in order of declaration."""
        return tuple(probe.tolerance for probe in self.probes if probe.tolerance is not None)


def rules_of(table: Table) -> tuple[Rule, ...]:
    """Return the rules that the declaration of `table` implies, then its own.

    Rows exist unless the table may be empty; key columns are filled; a key appears once; texts with a pattern match it;
    decimal numbers are finite or unknown.
    """
    return (*_presence(table), *_key(table), *_patterns(table), *_numbers(table), *table.rules)


def splits_by_month(rule: Rule) -> bool:
    """Return whether checking several months at once gives the result of checking each (rows count one by one, or by month)."""
    query = rule.arguments.get("unexpected_rows_query", "")
    aggregates = "group by" in query or "having" in query
    return rule.expectation.startswith("ExpectColumnValues") or (
        bool(query) and (not aggregates or "group by month" in query)
    )


def is_measure(check: Rule | Probe) -> bool:
    """Return whether a check compares one number, so that it has nothing to count."""
    return isinstance(check, Probe) and check.tolerance is not None


def counts_rows(check: Rule | Probe) -> bool:
    """Return whether a check counts what it refuses: a number of rows, a mean, a measure are right or wrong as a whole."""
    if isinstance(check, Probe):
        return not is_measure(check)
    return check.expectation.startswith(("ExpectColumnValues", "ExpectCompoundColumns", "UnexpectedRows"))


def describe_check(check: Rule | Probe) -> str:
    """Return one sentence that states what a check requires."""
    if isinstance(check, Probe):
        return f"The month passes if {check.meaning}."
    arguments = check.arguments
    match check.expectation:
        case "UnexpectedRowsExpectation":
            return f"No row is returned by `{arguments['unexpected_rows_query']}`."
        case "ExpectColumnValuesToNotBeNull":
            return f"`{arguments['column']}` is always filled."
        case "ExpectColumnValuesToBeBetween":
            low, high = arguments.get("min_value"), arguments.get("max_value")
            bounds = [f"at least {low}"] * (low not in (None, -LARGEST))
            bounds += [f"at most {high}"] * (high not in (None, LARGEST))
            bounds += ["finite"] * (low == -LARGEST or high == LARGEST)
            return f"`{arguments['column']}` is {' and '.join(bounds)}, or unknown."
        case "ExpectTableRowCountToBeBetween" if arguments == {"min_value": 1}:
            return "The month has at least one row."
        case _:
            listed = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            return f"{check.expectation}({listed})."


def _presence(table: Table) -> tuple[Rule, ...]:
    if table.may_be_empty:
        return ()
    advice = "Check that the month's files arrived and that the tables it is built from have rows."
    return (Rule(NOT_EMPTY, "ExpectTableRowCountToBeBetween", {"min_value": 1}, advice),)


def _key(table: Table) -> tuple[Rule, ...]:
    if not table.key:
        return ()
    filled = "A row without it cannot be identified: look at what builds the column."
    key = ", ".join(table.key)
    # One aggregation takes half the time of Great Expectations' rule on several columns, which joins the table to its counts.
    query = f"select {key}, count(*) as copies from {{batch}} group by month, {key} having count(*) > 1"
    once = f"Two rows share ({key}): look for a file loaded twice or a join that multiplies rows."
    return (*(not_null(column, filled) for column in table.key), no_rows("key_unique", query, once))


def _patterns(table: Table) -> tuple[Rule, ...]:
    # Great Expectations supports no regular expression on DuckDB, so that the rule is a query.
    return tuple(
        no_rows(
            f"{column.name}_well_formed",
            f"select * from {{batch}} where not regexp_full_match({column.name}, {sql_literal(column.pattern)})",
            f"Values must match {column.pattern}: look at the file that brought them and at how it is read.",
        )
        for column in table.columns
        if column.pattern is not None
    )


def _numbers(table: Table) -> tuple[Rule, ...]:
    decimals = [column.name for column in table.columns if column.type in DECIMAL]
    if not decimals:
        return ()
    # NaN sorts above every bound and equals itself in DuckDB, and both spoil the sums and means of those who read them.
    query = f"select * from {{batch}} where not ({' and '.join(f'isfinite({name})' for name in decimals)})"
    advice = "A number is NaN or infinite: look for a division by zero or an overflow where the column is computed."
    return (no_rows(FINITE, query, advice),)
