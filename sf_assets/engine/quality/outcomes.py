"""What the checks of one asset find, on many months for the price of one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from sf_assets.engine.quality.measuring import History, measure
from sf_assets.engine.quality.rules import NOT_EMPTY, Outcome, Suite, splits_by_month
from sf_assets.engine.storage import Session
from sf_assets.vocabulary.schema import Rule


def outcomes_of(
    session: Session,
    suite: Suite,
    months: Sequence[date],
    *,
    with_rows: Sequence[date],
    histories: Mapping[str, History],
) -> dict[date, dict[str, Outcome]]:
    """Run every check of `suite` on each of `months`; return what each check finds, by month and name.

    A rule that refuses rows one by one runs on all months at once, and on each month alone only when it fails, to find
    which months fail; tolerances are measured on all months at once. Ten years of history then take as long as one month.
    `with_rows` are the months in which the asset has rows, `histories` what its tolerances found before.
    """
    outcomes: dict[date, dict[str, Outcome]] = {month: {} for month in months}
    # Months without a row give equal results: the rules run on one of them.
    empty: dict[str, Outcome] = {}
    if suite.rules and suite.table:
        together = _check_together(session, suite, with_rows)
        for month, found in outcomes.items():
            has_rows = month in with_rows
            found.update(together.get(month, {}) if has_rows else empty or _outcomes_without_rows(suite))
            found.update(
                _check_rules(session, suite, [rule for rule in suite.rules if rule.name not in found], [month])
            )
            if not has_rows:
                empty = dict(found)
    measured: Mapping[date, Mapping[str, Outcome]] = {}
    if suite.tolerances and suite.table:
        measured = measure(
            session, suite.asset, suite.table, suite.tolerances, months, scope=suite.scope, histories=histories
        )
    for month, found in outcomes.items():
        found.update((probe.name, probe.run(session, month)) for probe in suite.probes if probe.tolerance is None)
        found.update(measured.get(month, {}))
    return outcomes


def _check_together(session: Session, suite: Suite, months: Sequence[date]) -> dict[date, dict[str, Outcome]]:
    """Return the outcomes of the rules that passed on all months together, by month; none for a single month."""
    if len(months) < 2 or suite.table is None:  # noqa: PLR2004 - together means at least two
        return {}
    source = session.source_of(suite.table.name, months)
    rows = dict(
        session.connection.execute(
            f"select month, count(*) from {source} where month = any($1) group by month", [months]
        ).fetchall()
    )
    outcomes = _check_rules(session, suite, [rule for rule in suite.rules if splits_by_month(rule)], months)
    passed = {name: outcome for name, outcome in outcomes.items() if outcome.passed}
    # The caller leaves out months without a row.
    passed |= {rule.name: Outcome(passed=True) for rule in suite.rules if rule.name == NOT_EMPTY}
    return {
        month: {name: replace(outcome, element_count=rows[month]) for name, outcome in passed.items()}
        for month in months
    }


def _outcomes_without_rows(suite: Suite) -> dict[str, Outcome]:
    """Return the outcomes of rules that refuse rows one by one on a month without a row: all pass."""
    return {
        rule.name: Outcome(passed=True)
        for rule in suite.rules
        if splits_by_month(rule) or rule.expectation == "ExpectCompoundColumnsToBeUnique"
    }


def _check_rules(session: Session, suite: Suite, rules: Sequence[Rule], months: Sequence[date]) -> dict[str, Outcome]:
    if not rules or suite.table is None:
        return {}
    from sf_assets.engine.quality.expectations import validate  # noqa: PLC0415 - its import takes seconds, and few steps run checks

    return validate(
        session.connection,
        suite.table,
        tuple(rules),
        scope={"month": list(months), **suite.scope},
        source=session.source_of(suite.table.name, months),
    )
