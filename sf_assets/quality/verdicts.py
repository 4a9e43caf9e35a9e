"""What was judged, kept in the warehouse, and the gate that reads it.

A blocking asset check stops what follows in its own run only: a later run of a downstream asset would go through. The
gate stands in the body of the assets themselves, and opens for verdicts, not for the absence of bad news.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl

from sf_assets.failures import Blocked
from sf_assets.quality.rules import Outcome, Probe, Suite
from sf_assets.schema import Column, Rule, Severity, Table
from sf_assets.storage import Session, Warehouse

CHECK_VERDICTS = Table(
    "check_verdicts",
    "the last judgement of one check on one asset for the month",
    (
        Column("asset", "VARCHAR", "asset that was judged"),
        Column("check_name", "VARCHAR", "rule or probe that judged it"),
        Column("severity", "VARCHAR", "error blocks what reads the asset, warning is a note"),
        Column("passed", "BOOLEAN", "the month satisfies the check"),
        Column("errored", "BOOLEAN", "the judgement itself failed: nothing is known about the data"),
        Column("unexpected_count", "BIGINT", "what the check refuses", unit="row"),
        Column("element_count", "BIGINT", "what the check looked at", unit="row"),
        Column("error", "VARCHAR", "why the judgement failed, empty otherwise"),
        Column("snapshot", "BIGINT", "snapshot of the warehouse that wrote the rows judged; NULL when there is no row"),
        Column("run_id", "VARCHAR", "Dagster run that judged"),
        Column("judged_at", "TIMESTAMP", "creation of the run that judged, UTC"),
    ),
    key=("asset", "check_name"),
    may_be_empty=True,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check judged on one month; `snapshot` tells which write of the table was judged."""

    asset: str
    month: date
    check: Rule | Probe
    outcome: Outcome
    snapshot: int | None


def judge_month(session: Session, suite: Suite, month: date) -> tuple[Verdict, ...]:
    """Judge every check of `suite` on one month.

    Raises:
        duckdb.Error: the table cannot be read at all.
    """
    # Read first: a write that happens meanwhile makes the verdict stale, never the other way round.
    snapshot = _last_writes(session.connection, {suite.table.name: month})[suite.table.name] if suite.table else None
    outcomes: dict[str, Outcome] = {}
    if suite.table and suite.rules:
        from sf_assets.quality.expectations import judge  # noqa: PLC0415 - its import takes seconds, and few steps judge

        outcomes |= judge(session.connection, suite.table, month, suite.rules)
    outcomes |= {probe.name: probe.judge(session, month) for probe in suite.probes}
    return tuple(Verdict(suite.asset, month, check, outcomes[check.name], snapshot) for check in suite.checks)


def record(session: Session, verdicts: Iterable[Verdict], *, run_id: str, judged_at: datetime) -> None:
    """Replace the verdicts of one asset and month by `verdicts`, which are all of that asset and month."""
    judged = tuple(verdicts)
    scopes = {(verdict.asset, verdict.month) for verdict in judged}
    if len(scopes) != 1:
        raise ValueError(f"verdicts are recorded for one asset and month at a time, found {len(scopes)}")
    ((asset, month),) = scopes
    rows = pl.DataFrame([_row_of(verdict, run_id, judged_at) for verdict in judged], infer_schema_length=None)
    session.connection.register("verdicts_judged", rows)
    try:
        session.replace(
            {CHECK_VERDICTS: "select * from verdicts_judged"},
            where={"month": month, "asset": asset},
            author=run_id,
            message=f"{asset} judged for {month:%Y-%m}",
        )
    finally:
        session.connection.unregister("verdicts_judged")


def require_passed(warehouse: Warehouse, reads: Mapping[str, date], suites: Mapping[str, Suite]) -> None:
    """Let pass only when every check of severity error passed on the last write of every month in `reads`.

    `reads` gives the month read of each upstream asset, `suites` what is asked of each asset. A check that errored, is
    missing, or judged an older write of the month blocks like one that failed.

    Raises:
        Blocked: says which asset, month and check, how many rows, and what to do.
    """
    found = _verdicts_on(warehouse, reads)
    judged = {
        table.name: reads[asset]
        for asset in reads
        if (table := suites[asset].table) and any(known == asset for known, _ in found)
    }
    with warehouse.session() as session:
        written = _last_writes(session.connection, judged)
    obstacles = [
        f"{asset}, {month:%Y-%m}: {obstacle}"
        for asset, month in reads.items()
        for obstacle in _obstacles(suites[asset], found, written)
    ]
    if obstacles:
        raise Blocked("The gate is shut.\n" + "\n".join(obstacles))


def _obstacles(
    suite: Suite, found: Mapping[tuple[str, str], Mapping[str, Any]], written: Mapping[str, int | None]
) -> Iterable[str]:
    for check in suite.checks:
        if check.severity != "error":
            continue
        verdict = found.get((suite.asset, check.name))
        if verdict is None:
            yield f"{check.name} was never judged. Run the checks of {suite.asset} for this month."
        elif suite.table and verdict["snapshot"] != written[suite.table.name]:
            yield f"{check.name} judged an older write of the month. Run the checks of {suite.asset} again."
        elif verdict["errored"]:
            yield f"{check.name} could not be judged: {verdict['error']}. Mend the check or the table, run it again."
        elif not verdict["passed"]:
            counts = f"{verdict['unexpected_count']} of {verdict['element_count']} rows"
            yield f"{check.name} failed: {counts}. {check.advice}"


def _verdicts_on(warehouse: Warehouse, reads: Mapping[str, date]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return the verdicts on the months read, by asset and check."""
    query = """
        select asset, check_name, passed, errored, unexpected_count, element_count, error, snapshot
        from lake.check_verdicts
        where month = any($months) and (asset, month) in (select unnest($assets), unnest($months))
    """
    try:
        rows = warehouse.query(query, {"assets": list(reads), "months": list(reads.values())})
    except duckdb.CatalogException:  # Nothing was ever judged: the first verdict makes the table.
        return {}
    return {(row["asset"], row["check_name"]): row for row in rows.iter_rows(named=True)}


def _last_writes(connection: duckdb.DuckDBPyConnection, months: Mapping[str, date]) -> dict[str, int | None]:
    """Return the snapshot that last wrote each table's month; None when the month has no row.

    The rows say it themselves (DuckLake's column `snapshot_id`), so no second record can disagree with them.
    """
    if not months:
        return {}
    # One statement for all tables: opening the catalog's files dominates.
    each = (f"select '{name}', max(snapshot_id) from lake.{name} where month = ?" for name in months)
    return dict(connection.execute(" union all ".join(each), list(months.values())).fetchall())


def _row_of(verdict: Verdict, run_id: str, judged_at: datetime) -> dict[str, Any]:
    severity: Severity = verdict.check.severity
    return {
        "asset": verdict.asset,
        "check_name": verdict.check.name,
        "severity": severity,
        "passed": verdict.outcome.passed,
        "errored": bool(verdict.outcome.error),
        "unexpected_count": verdict.outcome.unexpected_count,
        "element_count": verdict.outcome.element_count,
        "error": verdict.outcome.error,
        "snapshot": verdict.snapshot,
        "run_id": run_id,
        "judged_at": judged_at,
    }
