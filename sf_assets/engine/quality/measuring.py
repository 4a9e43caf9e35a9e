"""Measures of tolerances: all numbers of an asset and its months in one query, and their comparison with earlier months."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite
from statistics import median

from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES
from sf_assets.engine.quality.measures import Margin, Tolerance
from sf_assets.engine.quality.rules import Outcome
from sf_assets.engine.quality.tables import CHECK_VERDICTS
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.content import scope_condition, sql_constant
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Table

# Long enough to show what is usual, short enough to leave out what no longer is.
_MONTHS = 12

# A refused month is no reference; a refused month that an operator accepted is the new reference.
_REFERENCES = read_sql("sf_assets.engine.quality", "earlier_values")

# What a check found in the months that passed, or were accepted: month, value, whether it was accepted; in order of months.
History = Sequence[tuple[date, float | None, bool]]


@dataclass(frozen=True, slots=True)
class _Reference:
    """What a month is compared with: the last month that passed, its value, and the median of the months that passed."""

    month: date | None = None
    last: float | None = None
    usual: float | None = None


def histories_of(
    session: Session, asset: str, tolerances: Sequence[Tolerance], months: Sequence[date]
) -> dict[str, History]:
    """Return what each tolerance that looks back found in the twelve months before each of `months`, by its name."""
    checks = [tolerance.name for tolerance in tolerances if _looks_back(tolerance)]
    if not checks:
        return {}
    session.bind({CHECK_VERDICTS: None, CHECK_ACCEPTANCES: None})
    values = {"asset": asset, "checks": checks, "first": add_months(min(months), -_MONTHS), "last": max(months)}
    histories: dict[str, list[tuple[date, float | None, bool]]] = {check: [] for check in checks}
    for check, *found in session.connection.execute(_REFERENCES, values).fetchall():
        histories[check].append(tuple(found))
    return {**histories}


def measure(
    session: Session,
    asset: str,
    table: Table,
    tolerances: Sequence[Tolerance],
    months: Sequence[date],
    *,
    scope: Mapping[str, str],
    histories: Mapping[str, History],
) -> dict[date, dict[str, Outcome]]:
    """Measure every tolerance on every month in one query, and compare each number; return outcomes by month and name.

    The rows of the asset are the rows of `table` in which the columns of `scope` have its values. `histories` gives what
    each tolerance found before, as `histories_of` returns it.

    Raises:
        duckdb.Error: a query fails.

    """
    asked = [
        (tolerance, month, _reference(histories.get(tolerance.name, ()), month))
        for tolerance in tolerances
        for month in months
    ]
    rows = _Rows(session, asset, table, scope, tuple(months))
    values = _values(session, rows, asked)
    outcomes: dict[date, dict[str, Outcome]] = {month: {} for month in months}
    for (tolerance, month, reference), value in zip(asked, values, strict=True):
        query = rows.stored(tolerance.query, month, reference.month or month)
        outcome = _compare(tolerance, value, reference, query)
        if not outcome.passed and tolerance.detail:
            detail = rows.read(tolerance.detail, sql_constant(month), sql_constant(reference.month or month))
            counts = session.connection.execute(detail).fetchall()
            listed = ", ".join(f"{name} {figure(float(count or 0))}" for name, count in counts)
            outcome = replace(outcome, statement=f"{outcome.statement} Counts by reason: {listed}.")
        outcomes[month][tolerance.name] = outcome
    return outcomes


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that the queries of an asset's tolerances read."""

    session: Session
    asset: str
    table: Table
    scope: Mapping[str, str]
    months: tuple[date, ...]

    def stored(self, query: str, month: date, before: date) -> str:
        """Return the query of one month as an operator runs it, on the tables of the lake."""
        return self._filled(query, sql_constant(month), sql_constant(before), f"lake.{self.table.name}")

    def read(self, query: str, month: str, before: str) -> str:
        """Return the query on the copies of the session, where it has them; `month` and `before` are expressions."""
        source = self.session.source_of(self.table.name, self.months)
        # DuckLake skips the files of other months for literals only.
        months = f" and {scope_condition({'month': self.months})}"
        return self._filled(self.session.on_copies(query, self.months), month, before, source, months)

    def _filled(self, query: str, month: str, before: str, source: str, months: str = "") -> str:
        conditions = "".join(f" and {column} = {sql_literal(value)}" for column, value in self.scope.items())
        return (
            query.replace("{batch}", f"(select * from {source} where month = {month}{months}{conditions})")
            .replace("{before}", f"(select * from lake.{self.table.name} where month = {before}{conditions})")
            .replace("{month}", month)
            .replace("{source}", self.asset.partition("_")[2])
        )


def _values(session: Session, rows: _Rows, asked: Sequence[tuple[Tolerance, date, _Reference]]) -> list[float | None]:
    """Return the numbers that are asked for, in order.

    The months of one tolerance are a single correlated query, which the engine turns into joins: the table is read once.
    """
    of_tolerances: dict[str, list[tuple[Tolerance, date, date]]] = {}
    for tolerance, day, reference in asked:
        of_tolerances.setdefault(tolerance.name, []).append((tolerance, day, reference.month or day))
    queries = []
    for name, of_tolerance in of_tolerances.items():
        pairs = [(sql_constant(month), sql_constant(before)) for _, month, before in of_tolerance]
        month, before = pairs[0] if len(pairs) == 1 else ("asked.month", "asked.before")
        number = rows.read(of_tolerance[0][0].query, month, before)
        months = ", ".join(f"({one}, {other})" for one, other in pairs)
        queries.append(
            f"select {sql_literal(name)}, {month}, cast(({number}) as double) "
            f"from (values {months}) as asked (month, before)"
        )
    if not queries:
        return []
    answers = session.connection.execute(" union all ".join(queries)).fetchall()
    found = {(name, day): value for name, day, value in answers}
    return [found[tolerance.name, day] for tolerance, day, _ in asked]


def _looks_back(tolerance: Tolerance) -> bool:
    return bool(tolerance.change or tolerance.level) or "{before}" in tolerance.query


def _reference(history: History, month: date) -> _Reference:
    """Return what a month is compared with: the months of `history` in the twelve before it."""
    known = [one for one, *_ in history]
    rows = history[bisect_left(known, add_months(month, -_MONTHS)) : bisect_left(known, month)]
    # An accepted change starts a new level: the months before it are no reference any more.
    start = max((i for i, (*_, accepted) in enumerate(rows) if accepted), default=0)
    measured = [value for _, value, _ in rows[start:] if value is not None]
    if not rows:
        return _Reference()
    return _Reference(rows[-1][0], measured[-1] if measured else None, median(measured) if measured else None)


def _compare(tolerance: Tolerance, value: float | None, reference: _Reference, query: str) -> Outcome:
    """Compare one number with its bounds, with the last month that passed and with the median of the last twelve."""
    if value is None:
        return Outcome(passed=True, query=query, statement=f"{tolerance.measure}: nothing to measure.")
    parts = [f"{tolerance.measure}: {figure(value)}"]
    # A comparison with NaN is always false, so that no bound would refuse it.
    expected = [] if isfinite(value) else ["a number"]
    if tolerance.low is not None and value < tolerance.low:
        expected.append(f"at least {figure(tolerance.low)}")
    if tolerance.high is not None and value > tolerance.high:
        expected.append(f"at most {figure(tolerance.high)}")
    if reference.month is None or reference.last is None or reference.usual is None:
        parts += ["no earlier month that passed to compare with"] * _looks_back(tolerance)
    else:
        parts.append(f"{figure(reference.last)} in {reference.month:%Y-%m}, usually {figure(reference.usual)}")
        for margin, compared, name in (
            (tolerance.change, reference.last, f"{reference.month:%Y-%m}"),
            (tolerance.level, reference.usual, "usual"),
        ):
            expected += _crossed_bound(tolerance, margin, value, compared, name)
    statement = ", ".join(parts) + (f"; expected {', '.join(expected)}." if expected else ".")
    return Outcome(
        passed=not expected,
        unexpected_count=int(bool(expected)),
        element_count=1,
        query=query,
        # NaN and infinity cannot be compared with later months, even when they were accepted.
        value=value if isfinite(value) else None,
        statement=statement,
    )


def _crossed_bound(tolerance: Tolerance, margin: Margin | None, value: float, reference: float, name: str) -> list[str]:
    """Return in words the bound around `reference` that `value` crosses; an empty list when it crosses none."""
    if margin is None:
        return []
    unit = abs(reference) if tolerance.relative else 1.0
    # A sum of doubles may differ in its last digit.
    slack = max(tolerance.min_difference, 1e-9 * abs(reference))
    if margin.fall is not None and reference - value > max(margin.fall * unit, slack):
        return [f"not under {figure(reference - max(margin.fall * unit, slack))} ({name} {figure(reference)})"]
    if margin.rise is not None and value - reference > max(margin.rise * unit, slack):
        return [f"not over {figure(reference + max(margin.rise * unit, slack))} ({name} {figure(reference)})"]
    return []


def figure(value: float) -> str:
    """Return a number as text, with four significant digits below a thousand.

    >>> figure(1234567.0), figure(0.12345), figure(12.0)
    ('1,234,567', '0.1235', '12')
    """
    if not isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004 - four digits
