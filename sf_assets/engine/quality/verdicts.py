"""Verdicts of checks, stored in the warehouse, and the gate that reads them.

A blocking asset check of Dagster stops the steps that follow in its own run; a later run of a downstream asset would go on.
Assets therefore ask the gate themselves, which requires a verdict that passed: a missing verdict blocks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from sf_assets.engine.quality.acceptances import Acceptance, CheckKey, acceptances_of
from sf_assets.engine.quality.freshness import describe_outdated, inputs_of, last_writes, outdated
from sf_assets.engine.quality.rules import NOT_EMPTY, Outcome, Probe, Suite, splits_by_month
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session, frame_of
from sf_assets.engine.storage.content import scope_condition
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Column, Rule, Table

CHECK_VERDICTS = Table(
    "check_verdicts",
    "the last verdict of one check on one asset for the month",
    (
        Column("asset", "VARCHAR", "asset that was checked"),
        Column("check_name", "VARCHAR", "name of the check"),
        Column("severity", "VARCHAR", "error blocks what reads the asset, warning is a note"),
        Column("passed", "BOOLEAN", "the month satisfies the check"),
        Column("errored", "BOOLEAN", "the check itself failed: the state of the data is unknown"),
        Column("unexpected_count", "BIGINT", "rows that the check refuses", unit="row"),
        Column("element_count", "BIGINT", "rows that the check read", unit="row"),
        Column("error", "VARCHAR", "why the check itself failed, empty otherwise"),
        Column("value", "DOUBLE", "measure of a tolerance, compared with later months"),
        Column("statement", "VARCHAR", "measured and expected values, in words; empty for rules, which count rows"),
        Column("snapshot", "BIGINT", "snapshot that wrote the checked rows; NULL when there is no row"),
        Column("run_id", "VARCHAR", "Dagster run of the check"),
        Column("judged_at", "TIMESTAMP", "creation of that run, UTC"),
    ),
    key=("asset", "check_name"),
    may_be_empty=True,
)

# Above so many rows a copy costs more than asking the catalog again for each check.
_COPIED = 200_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check on one write of one month; `snapshot` wrote the checked rows, None without a row."""

    asset: str
    month: date
    check: Rule | Probe
    outcome: Outcome
    snapshot: int | None


def check_months(session: Session, suite: Suite, months: Sequence[date]) -> dict[date, tuple[Verdict, ...]]:
    """Run every check of `suite` on each of `months`; return the verdicts by month.

    A rule that refuses rows one by one runs on all months at once, and on each month alone only when it fails, to find
    which months fail. Ten years of history then take as long as one month.

    Raises:
        duckdb.Error: the table cannot be read at all.

    """
    # Read before the checks run: a write that happens meanwhile then makes their verdicts void.
    written = last_writes(session, {suite.asset: suite}, [(suite.asset, month) for month in months])
    with_rows = [month for month in months if (suite.asset, month) in written]
    if suite.table is None or not with_rows:
        outcomes = _outcomes(session, suite, months, with_rows)
    else:
        with session.copied(suite.table.name, with_rows, most=_COPIED):
            outcomes = _outcomes(session, suite, months, with_rows)
    return {
        month: tuple(
            Verdict(suite.asset, month, check, found[check.name], written.get((suite.asset, month)))
            for check in suite.checks
        )
        for month, found in outcomes.items()
    }


def _outcomes(
    session: Session, suite: Suite, months: Sequence[date], with_rows: Sequence[date]
) -> dict[date, dict[str, Outcome]]:
    """Return what each check finds, by month and name."""
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
    for month, found in outcomes.items():
        found.update((probe.name, probe.run(session, month)) for probe in suite.probes)
    return outcomes


def _check_together(session: Session, suite: Suite, months: Sequence[date]) -> dict[date, dict[str, Outcome]]:
    """Return the outcomes of the rules that passed on all months together, by month; none for a single month."""
    if len(months) < 2 or suite.table is None:  # noqa: PLR2004 - together means at least two
        return {}
    rows = dict(
        session.connection.execute(
            f"select month, count(*) from lake.{suite.table.name} where month = any($1) group by month", [months]
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


def record_verdicts(
    session: Session,
    asset: str,
    verdicts: Mapping[date, Sequence[Verdict]],
    *,
    run_id: str,
    judged_at: datetime,
    checks: Sequence[str] | None = None,
) -> None:
    """Store the verdicts on `asset` for their months, in place of earlier ones, in one transaction.

    `checks` names the checks that ran; None when all of them did, and verdicts of checks that no longer exist go away.
    """
    session.replace(
        {CHECK_VERDICTS: frame_of_verdicts(verdicts, run_id=run_id, judged_at=judged_at)},
        where={"month": list(verdicts), "asset": asset, **({"check_name": list(checks)} if checks else {})},
        author=run_id,
        message=f"{asset} checked for {min(verdicts):%Y-%m} to {max(verdicts):%Y-%m}",
    )


def frame_of_verdicts(verdicts: Mapping[date, Sequence[Verdict]], *, run_id: str, judged_at: datetime) -> pl.DataFrame:
    """Return verdicts as rows of `check_verdicts`."""
    utc = judged_at.astimezone(UTC).replace(tzinfo=None)  # A session would shift a time with a zone.
    rows = [
        {
            "month": month,
            "asset": verdict.asset,
            "check_name": verdict.check.name,
            "severity": verdict.check.severity,
            "passed": verdict.outcome.passed,
            "errored": bool(verdict.outcome.error),
            "unexpected_count": verdict.outcome.unexpected_count,
            "element_count": verdict.outcome.element_count,
            "error": verdict.outcome.error,
            "value": verdict.outcome.value,
            "statement": verdict.outcome.statement,
            "snapshot": verdict.snapshot,
            "run_id": run_id,
            "judged_at": utc,
        }
        for month, of_month in verdicts.items()
        for verdict in of_month
    ]
    return frame_of(CHECK_VERDICTS, rows, with_month=True)


def require_passed(
    session: Session, reads: Iterable[AssetMonth], suites: Mapping[str, Suite]
) -> dict[AssetMonth, int | None]:
    """Return the snapshot that wrote each asset and month of `reads`, None without a row, when all of them may be read.

    `suites` gives the checks of each asset. Every blocking check must have passed on the last write. A check that never ran,
    raised an error, or ran on an older write blocks like a failed check; a failed check that was accepted for that write
    does not. An asset computed before a newer write of its inputs blocks as well (`freshness.py`).

    Raises:
        Blocked: names each asset, month and check, the number of rows, and what to do.

    """
    wanted = list(dict.fromkeys(reads))
    inputs = inputs_of(session, wanted)
    verdicts = verdicts_on(session, [*inputs])
    checked = {(asset, month) for asset, month, _ in verdicts}
    written = last_writes(session, suites, [read for read in wanted if read in checked])
    accepted = accepted_of(session, verdicts)
    obstacles = [
        f"- {asset}, {month:%Y-%m}: {obstacle}"
        for asset, month in wanted
        for _, obstacle in obstacles_of(suites[asset], month, verdicts, written.get((asset, month)), accepted)
    ]
    stale = outdated(inputs, verdicts, accepted)
    obstacles += [
        f"- {line}" for line in describe_outdated({cause for read in wanted for cause in stale.get(read, ())})
    ]
    if obstacles:
        raise Blocked("\n".join(["Inputs of this step did not pass their checks:", *obstacles]))
    return {read: written.get(read) for read in wanted}


def obstacles_of(
    suite: Suite,
    month: date,
    verdicts: Mapping[CheckKey, Mapping[str, Any]],
    written: int | None,
    accepted: Mapping[CheckKey, Acceptance],
) -> Iterator[tuple[str, str]]:
    """Yield the name of each blocking check that stops the readers of a month, with a message and what to do.

    `written` is the snapshot that last wrote the month.
    """
    for check in suite.checks:
        if check.severity != "error":
            continue
        key = (suite.asset, month, check.name)
        verdict = verdicts.get(key)
        if verdict is None:
            yield check.name, f"{check.name} never ran. Run the checks of {suite.asset} for this month."
        elif verdict["snapshot"] != written:
            yield (
                check.name,
                f"{check.name} ran on an older write of the month. Run the checks of {suite.asset} again.",
            )
        elif verdict["errored"]:
            yield (
                check.name,
                f"{check.name} could not run: {verdict['error']}. Fix the error, then run the check again.",
            )
        elif not verdict["passed"] and key not in accepted:
            refusal = verdict["statement"] or f"{verdict['unexpected_count']} of {verdict['element_count']}."
            yield check.name, f"{check.name} refuses {refusal} {check.advice}"


def accepted_of(session: Session, verdicts: Mapping[CheckKey, Mapping[str, Any]]) -> dict[CheckKey, Acceptance]:
    """Return the acceptances that still hold for the failed ones of `verdicts`."""
    refused = {
        key: verdict for key, verdict in verdicts.items() if verdict["severity"] == "error" and not verdict["passed"]
    }
    if not refused:
        return {}
    accepted = acceptances_of(session, sorted({month for _, month, _ in refused}))
    return {key: accepted[key] for key, verdict in refused.items() if key in accepted and accepted[key].covers(verdict)}


def verdicts_on(session: Session, reads: Sequence[AssetMonth]) -> dict[CheckKey, Mapping[str, Any]]:
    """Return the verdicts on the assets and months of `reads`, by asset, month and check."""
    if not reads:
        return {}
    # The table, or a column added by an upgrade, is created by the first verdict stored since.
    session.bind({CHECK_VERDICTS: None})
    months = scope_condition({"month": sorted({month for _, month in reads})})
    query = read_sql("sf_assets.engine.quality", "stored_verdicts", months=months)
    parameters = {"assets": [asset for asset, _ in reads], "months": [month for _, month in reads]}
    rows = session.connection.execute(query, parameters).pl()
    return {(row["asset"], row["month"], row["check_name"]): row for row in rows.iter_rows(named=True)}


def months_checked(session: Session, asset: str) -> list[date]:
    """Return the months that have verdicts on an asset, oldest first."""
    session.bind({CHECK_VERDICTS: None})
    query = "select distinct month from check_verdicts where asset = $asset order by month"
    return [month for (month,) in session.connection.execute(query, {"asset": asset}).fetchall()]
