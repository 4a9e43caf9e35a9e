"""Tolerances as checks: one number measured on a month, compared with earlier months of the same table that passed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite
from statistics import median

from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES
from sf_assets.engine.quality.measures import Margin, Tolerance
from sf_assets.engine.quality.rules import Outcome, Probe, Suite, rules_of
from sf_assets.engine.quality.verdicts import CHECK_VERDICTS
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.content import sql_constant
from sf_assets.vocabulary.schema import Table

# Long enough to show what is usual, short enough to leave out what no longer is.
_MONTHS = 12

# A refused month is no reference; a refused month that an operator accepted is the new reference.
_REFERENCES = read_sql("sf_assets.engine.quality", "earlier_values")


@dataclass(frozen=True, slots=True)
class _Reference:
    """What a month is compared with: the last month that passed, its value, and the median of the months that passed."""

    month: date | None = None
    last: float | None = None
    usual: float | None = None


def suite_of(table: Table, probes: tuple[Probe, ...] = (), *, tolerances: Iterable[Tolerance] = ()) -> Suite:
    """Return the suite of a table: its rules, then `probes`, then those of `tolerances` that name the table."""
    return Suite(table.name, table, rules_of(table), (*probes, *probes_of(table.name, table, tolerances)))


def probes_of(asset: str, table: Table, tolerances: Iterable[Tolerance], **scope: str) -> tuple[Probe, ...]:
    """Return a probe for each of `tolerances` that names the asset.

    The rows of the asset are the rows of `table` in which the columns of `scope` have its values.
    """
    return tuple(_probe(tolerance, asset, table, scope) for tolerance in tolerances if asset in tolerance.assets)


def _probe(tolerance: Tolerance, asset: str, table: Table, scope: Mapping[str, str]) -> Probe:
    def run(session: Session, month: date) -> Outcome:
        reference = _reference(session, asset, tolerance.name, month) if _looks_back(tolerance) else _Reference()
        conditions = "".join(f" and {column} = '{value}'" for column, value in scope.items())

        def rows(of: date, source: str) -> str:
            return f"(select * from {source} where month = {sql_constant(of)}{conditions})"

        def filled(text: str, source: str) -> str:
            return (
                text.replace("{batch}", rows(month, source))
                .replace("{before}", rows(reference.month or month, f"lake.{table.name}"))
                .replace("{month}", sql_constant(month))
                .replace("{source}", asset.partition("_")[2])
            )

        # The query shown to the operator reads the table of the lake, not the copy of the session.
        query = filled(tolerance.query, f"lake.{table.name}")
        source = session.source_of(table.name, (month,))
        ((value,),) = session.connection.execute(filled(tolerance.query, source)).fetchall()
        outcome = _compare(tolerance, None if value is None else float(value), reference, query)
        if outcome.passed or not tolerance.detail:
            return outcome
        counts = session.connection.execute(filled(tolerance.detail, source)).fetchall()
        listed = ", ".join(f"{name} {_figure(float(count or 0))}" for name, count in counts)
        return replace(outcome, statement=f"{outcome.statement} Counts by reason: {listed}.")

    return Probe(tolerance.name, run, describe_tolerance(tolerance), tolerance.advice, tolerance.severity)


def _looks_back(tolerance: Tolerance) -> bool:
    return bool(tolerance.change or tolerance.level) or "{before}" in tolerance.query


def _reference(session: Session, asset: str, check: str, month: date) -> _Reference:
    values = {"asset": asset, "check": check, "month": month, "span": _MONTHS}
    session.bind({CHECK_VERDICTS: None, CHECK_ACCEPTANCES: None})
    rows = session.connection.execute(_REFERENCES, values).fetchall()
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
    parts = [f"{tolerance.measure}: {_figure(value)}"]
    # A comparison with NaN is always false, so that no bound would refuse it.
    expected = [] if isfinite(value) else ["a number"]
    if tolerance.low is not None and value < tolerance.low:
        expected.append(f"at least {_figure(tolerance.low)}")
    if tolerance.high is not None and value > tolerance.high:
        expected.append(f"at most {_figure(tolerance.high)}")
    if reference.month is None or reference.last is None or reference.usual is None:
        parts += ["no earlier month that passed to compare with"] * _looks_back(tolerance)
    else:
        parts.append(f"{_figure(reference.last)} in {reference.month:%Y-%m}, usually {_figure(reference.usual)}")
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
        return [f"not under {_figure(reference - max(margin.fall * unit, slack))} ({name} {_figure(reference)})"]
    if margin.rise is not None and value - reference > max(margin.rise * unit, slack):
        return [f"not over {_figure(reference + max(margin.rise * unit, slack))} ({name} {_figure(reference)})"]
    return []


def _figure(value: float) -> str:
    """Return a number as text, with four significant digits below a thousand.

    >>> _figure(1234567.0), _figure(0.12345), _figure(12.0)
    ('1,234,567', '0.1235', '12')
    """
    if not isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004 - four digits


def describe_tolerance(tolerance: Tolerance) -> str:
    """Return one sentence that states the limits of a tolerance and their reason."""
    bounds = (("at least", tolerance.low), ("at most", tolerance.high))
    limits = [f"{side} {_figure(bound)}" for side, bound in bounds if bound is not None]
    for margin, name in (
        (tolerance.change, "the last month that passed"),
        (tolerance.level, "the median of the last twelve months that passed"),
    ):
        limits += _describe_margin(tolerance, margin, name) if margin else []
    return f"its measure ({tolerance.measure}) is {', '.join(limits)}; {tolerance.reason}"


def _describe_margin(tolerance: Tolerance, margin: Margin, name: str) -> list[str]:
    def distance(share: float, side: str) -> str:
        size = f"{share:.0%}" if tolerance.relative else _figure(share)
        return f"at most {size} {side} {name}" if share else f"never {side} {name}"

    if margin.fall is not None and margin.fall == margin.rise:
        return [distance(margin.fall, "from")]
    sides = ((margin.fall, "below"), (margin.rise, "above"))
    return [distance(share, side) for share, side in sides if share is not None]
