"""Tolerances as checks: one number measured on a month, compared with the sound months of the same table before it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite
from statistics import median

from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES
from sf_assets.engine.quality.measures import Margin, Tolerance
from sf_assets.engine.quality.rules import Outcome, Probe, Suite, rules_of
from sf_assets.engine.quality.tolerances import TOLERANCES
from sf_assets.engine.quality.verdicts import CHECK_VERDICTS
from sf_assets.engine.storage import Session
from sf_assets.vocabulary.schema import Table

# Long enough to know what is usual, short enough to forget what no longer is.
_MONTHS = 12

# A month that was refused says nothing of what is usual; one that an operator accepted is the new usual.
_SOUND = """
    select v.month, value, not passed as accepted
    from check_verdicts as v
    left join check_acceptances as a
        on v.month = a.month and v.asset = a.asset and v.check_name = a.check_name
        and v.snapshot is not distinct from a.snapshot
    where
        v.asset = $asset and v.check_name = $check and not errored
        and v.month >= $month::date - to_months($span) and v.month < $month
        and (passed or a.month is not null)
    order by v.month
"""


@dataclass(frozen=True, slots=True)
class _Past:
    """The sound months of a check before a month: the last of them, its value, and the middle of what is usual."""

    month: date | None = None
    last: float | None = None
    usual: float | None = None


def suite_of(table: Table, probes: tuple[Probe, ...] = ()) -> Suite:
    """Return the suite of a table: the rules of `rules_of`, then `probes`, then the tolerances of its name."""
    return Suite(table.name, table, rules_of(table), (*probes, *probes_of(table.name, table)))


def probes_of(asset: str, table: Table, **scope: str) -> tuple[Probe, ...]:
    """Return a probe for each tolerance of an asset, whose rows are those of `table` with the values of `scope`."""
    return tuple(_probe(tolerance, asset, table, scope) for tolerance in TOLERANCES if asset in tolerance.assets)


def _probe(tolerance: Tolerance, asset: str, table: Table, scope: Mapping[str, str]) -> Probe:
    def judge(session: Session, month: date) -> Outcome:
        past = _past(session, asset, tolerance.name, month) if _looks_back(tolerance) else _Past()
        conditions = "".join(f" and {column} = '{value}'" for column, value in scope.items())

        def rows(of: date, source: str) -> str:
            return f"(select * from {source} where month = {_literal(of)}{conditions})"

        def filled(text: str, source: str) -> str:
            return (
                text.replace("{batch}", rows(month, source))
                .replace("{before}", rows(past.month or month, f"lake.{table.name}"))
                .replace("{month}", _literal(month))
                .replace("{source}", asset.partition("_")[2])
            )

        # What is shown reads the table itself.
        query = filled(tolerance.query, f"lake.{table.name}")
        source = session.source_of(table.name, (month,))
        ((found,),) = session.connection.execute(filled(tolerance.query, source)).fetchall()
        outcome = _compare(tolerance, None if found is None else float(found), past, query)
        if outcome.passed or not tolerance.detail:
            return outcome
        counts = session.connection.execute(filled(tolerance.detail, source)).fetchall()
        listed = ", ".join(f"{name} {_figure(float(count or 0))}" for name, count in counts)
        return replace(outcome, statement=f"{outcome.statement} Counts by reason: {listed}.")

    return Probe(tolerance.name, judge, meaning_of_tolerance(tolerance), tolerance.advice, tolerance.severity)


def _looks_back(tolerance: Tolerance) -> bool:
    return bool(tolerance.change or tolerance.level) or "{before}" in tolerance.query


def _past(session: Session, asset: str, check: str, month: date) -> _Past:
    values = {"asset": asset, "check": check, "month": month, "span": _MONTHS}
    session.bind({CHECK_VERDICTS: None, CHECK_ACCEPTANCES: None})
    rows = session.connection.execute(_SOUND, values).fetchall()
    # What was usual before an accepted change is so no more.
    start = max((i for i, (*_, accepted) in enumerate(rows) if accepted), default=0)
    measured = [value for _, value, _ in rows[start:] if value is not None]
    if not rows:
        return _Past()
    return _Past(rows[-1][0], measured[-1] if measured else None, median(measured) if measured else None)


def _literal(day: date) -> str:
    return f"date '{day.isoformat()}'"


def _compare(tolerance: Tolerance, found: float | None, past: _Past, query: str) -> Outcome:
    """Judge one number: within its bounds, then near the last sound month and the middle of the last twelve."""
    if found is None:
        return Outcome(passed=True, query=query, statement=f"{tolerance.measure}: nothing to measure.")
    told = [f"{tolerance.measure}: {_figure(found)}"]
    # NaN is on neither side of a bound.
    beyond = [] if isfinite(found) else ["a number"]
    if tolerance.low is not None and found < tolerance.low:
        beyond.append(f"at least {_figure(tolerance.low)}")
    if tolerance.high is not None and found > tolerance.high:
        beyond.append(f"at most {_figure(tolerance.high)}")
    if past.month is None or past.last is None or past.usual is None:
        told += ["no sound month before it to compare with"] * _looks_back(tolerance)
    else:
        told.append(f"{_figure(past.last)} in {past.month:%Y-%m}, usually {_figure(past.usual)}")
        for margin, reference, name in (
            (tolerance.change, past.last, f"{past.month:%Y-%m}"),
            (tolerance.level, past.usual, "usual"),
        ):
            beyond += _beyond(tolerance, margin, found, reference, name)
    statement = ", ".join(told) + (f"; expected {', '.join(beyond)}." if beyond else ".")
    return Outcome(
        passed=not beyond,
        unexpected_count=int(bool(beyond)),
        element_count=1,
        query=query,
        # What is no number is nothing to compare later months with, even when it was accepted.
        value=found if isfinite(found) else None,
        statement=statement,
    )


def _beyond(tolerance: Tolerance, margin: Margin | None, found: float, reference: float, name: str) -> list[str]:
    """Return the bound that `found` crosses, in words; nothing when it is near enough."""
    if margin is None:
        return []
    unit = abs(reference) if tolerance.relative else 1.0
    # A sum of doubles may differ in its last digit.
    slack = max(tolerance.least, 1e-9 * abs(reference))
    if margin.fall is not None and reference - found > max(margin.fall * unit, slack):
        return [f"not under {_figure(reference - max(margin.fall * unit, slack))} ({name} {_figure(reference)})"]
    if margin.rise is not None and found - reference > max(margin.rise * unit, slack):
        return [f"not over {_figure(reference + max(margin.rise * unit, slack))} ({name} {_figure(reference)})"]
    return []


def _figure(value: float) -> str:
    """Return a number as one reads it.

    >>> _figure(1234567.0), _figure(0.12345), _figure(12.0)
    ('1,234,567', '0.1235', '12')
    """
    if not isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004 - four digits


def meaning_of_tolerance(tolerance: Tolerance) -> str:
    """Say in one sentence what a tolerance demands and why."""
    bounds = (("at least", tolerance.low), ("at most", tolerance.high))
    said = [f"{side} {_figure(bound)}" for side, bound in bounds if bound is not None]
    for margin, name in (
        (tolerance.change, "the last sound month"),
        (tolerance.level, "the middle of the last twelve sound months"),
    ):
        said += _margin(tolerance, margin, name) if margin else []
    return f"what is measured ({tolerance.measure}) is {', '.join(said)}; {tolerance.reason}"


def _margin(tolerance: Tolerance, margin: Margin, name: str) -> list[str]:
    def far(share: float, side: str) -> str:
        size = f"{share:.0%}" if tolerance.relative else _figure(share)
        return f"at most {size} {side} {name}" if share else f"never {side} {name}"

    if margin.fall is not None and margin.fall == margin.rise:
        return [far(margin.fall, "from")]
    sides = ((margin.fall, "below"), (margin.rise, "above"))
    return [far(share, side) for share, side in sides if share is not None]
