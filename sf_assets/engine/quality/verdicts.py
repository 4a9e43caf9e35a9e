"""Verdicts of checks, stored in the warehouse, and the gate that reads them.

A blocking asset check of Dagster stops the steps that follow in its own run; a later run of a downstream asset would go on.
Assets therefore ask the gate themselves, which requires a verdict that passed: a missing verdict blocks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from sf_assets.engine.quality.acceptances import Acceptance, CheckKey, acceptances_of
from sf_assets.engine.quality.freshness import describe_outdated, inputs_of, last_writes, outdated
from sf_assets.engine.quality.measuring import histories_of
from sf_assets.engine.quality.outcomes import outcomes_of
from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tables import CHECK_VERDICTS
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session, frame_of
from sf_assets.engine.storage.content import scope_condition
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Rule

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

    Raises:
        duckdb.Error: the table cannot be read at all.

    """
    with ExitStack() as kept:
        # One snapshot: a write that happens meanwhile makes the verdicts void.
        with session.reading():
            for table in (suite.table, *suite.beside):
                if table is not None:
                    kept.enter_context(session.copied(table.name, months, most=_COPIED))
            written = last_writes(session, {suite.asset: suite}, [(suite.asset, month) for month in months])
            histories = histories_of(session, suite.asset, suite.tolerances, months)
        with_rows = [month for month in months if (suite.asset, month) in written]
        outcomes = outcomes_of(session, suite, months, with_rows=with_rows, histories=histories)
    return {
        month: tuple(
            Verdict(suite.asset, month, check, found[check.name], written.get((suite.asset, month)))
            for check in suite.checks
        )
        for month, found in outcomes.items()
    }


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
    rows = [{**row, "run_id": run_id, "judged_at": utc} for row in rows_of_verdicts(verdicts).values()]
    return frame_of(CHECK_VERDICTS, rows, with_month=True)


def rows_of_verdicts(verdicts: Mapping[date, Sequence[Verdict]]) -> dict[CheckKey, Mapping[str, Any]]:
    """Return verdicts as `verdicts_on` returns them once they are stored."""
    return {
        (verdict.asset, month, verdict.check.name): {
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
        }
        for month, of_month in verdicts.items()
        for verdict in of_month
    }


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
