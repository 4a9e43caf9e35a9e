"""What was judged, kept in the warehouse, and the gate that reads it.

A blocking asset check stops what follows in its own run only: a later run of a downstream asset would go through. The
gate stands in the body of the assets themselves, and opens for verdicts, not for the absence of bad news.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from sf_assets.engine.quality.acceptances import Acceptance, Judged, acceptances_of
from sf_assets.engine.quality.freshness import inputs_of, outdated, said
from sf_assets.engine.quality.rules import NOT_EMPTY, Outcome, Probe, Suite, splits_by_month
from sf_assets.engine.storage import Session, frame_of
from sf_assets.engine.storage.content import covers
from sf_assets.engine.storage.inputs import Read
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Column, Rule, Table

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
        Column("value", "DOUBLE", "what a tolerance measured, which later months are compared with"),
        Column("statement", "VARCHAR", "what was measured and expected, in words; empty for rules, which count"),
        Column("snapshot", "BIGINT", "snapshot of the warehouse that wrote the rows judged; NULL when there is no row"),
        Column("run_id", "VARCHAR", "Dagster run that judged"),
        Column("judged_at", "TIMESTAMP", "creation of the run that judged, UTC"),
    ),
    key=("asset", "check_name"),
    may_be_empty=True,
)

# Above so many rows a copy costs more than asking the catalog again for each check.
_COPIED = 200_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check judged on one month; `snapshot` tells which write of the rows was judged."""

    asset: str
    month: date
    check: Rule | Probe
    outcome: Outcome
    snapshot: int | None


def judge_months(session: Session, suite: Suite, months: Sequence[date]) -> dict[date, tuple[Verdict, ...]]:
    """Judge every check of `suite` on each of several months.

    A rule that counts rows one by one is judged on all months at once; only when it fails is each month judged alone,
    to find which. Ten years of history then take as long as one month.

    Raises:
        duckdb.Error: the table cannot be read at all.

    """
    # Read first: a write that happens meanwhile makes the verdict stale, never the other way round.
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
    # Months without a row are all alike: one is judged for all of them.
    empty: dict[str, Outcome] = {}
    if suite.rules and suite.table:
        together = _judge_together(session, suite, with_rows)
        for month, found in outcomes.items():
            has_rows = month in with_rows
            found.update(together.get(month, {}) if has_rows else empty or _of_no_row(suite))
            found.update(
                _judge_rules(session, suite, [rule for rule in suite.rules if rule.name not in found], [month])
            )
            if not has_rows:
                empty = dict(found)
    for month, found in outcomes.items():
        found.update((probe.name, probe.judge(session, month)) for probe in suite.probes)
    return outcomes


def _judge_together(session: Session, suite: Suite, months: Sequence[date]) -> dict[date, dict[str, Outcome]]:
    """Return the rules that hold for all months with rows, by month; none when there is a single one."""
    if len(months) < 2 or suite.table is None:  # noqa: PLR2004 - together means at least two
        return {}
    rows = dict(
        session.connection.execute(
            f"select month, count(*) from lake.{suite.table.name} where month = any($1) group by month", [months]
        ).fetchall()
    )
    judged = _judge_rules(session, suite, [rule for rule in suite.rules if splits_by_month(rule)], months)
    held = {name: outcome for name, outcome in judged.items() if outcome.passed}
    # Months without a row were left out: the others are not empty.
    held |= {rule.name: Outcome(passed=True) for rule in suite.rules if rule.name == NOT_EMPTY}
    return {
        month: {name: replace(outcome, element_count=rows[month]) for name, outcome in held.items()} for month in months
    }


def _of_no_row(suite: Suite) -> dict[str, Outcome]:
    """Return what rules that count rows one by one say of none: nothing to refuse, so that no engine need be asked."""
    return {
        rule.name: Outcome(passed=True)
        for rule in suite.rules
        if splits_by_month(rule) or rule.expectation == "ExpectCompoundColumnsToBeUnique"
    }


def _judge_rules(session: Session, suite: Suite, rules: Sequence[Rule], months: Sequence[date]) -> dict[str, Outcome]:
    if not rules or suite.table is None:
        return {}
    from sf_assets.engine.quality.expectations import judge  # noqa: PLC0415 - its import takes seconds, and few steps judge

    return judge(
        session.connection,
        suite.table,
        tuple(rules),
        scope={"month": list(months), **suite.scope},
        source=session.source_of(suite.table.name, months),
    )


def record(
    session: Session, asset: str, verdicts: Mapping[date, Sequence[Verdict]], *, run_id: str, judged_at: datetime
) -> None:
    """Replace what is known of `asset` for these months, in one transaction."""
    session.replace(
        {CHECK_VERDICTS: frame_of_verdicts(verdicts, run_id=run_id, judged_at=judged_at)},
        where={"month": list(verdicts), "asset": asset},
        author=run_id,
        message=f"{asset} judged for {min(verdicts):%Y-%m} to {max(verdicts):%Y-%m}",
    )


def frame_of_verdicts(verdicts: Mapping[date, Sequence[Verdict]], *, run_id: str, judged_at: datetime) -> pl.DataFrame:
    """Return verdicts as rows of `check_verdicts`."""
    judged_utc = judged_at.astimezone(UTC).replace(tzinfo=None)  # A session's time zone would shift an aware one.
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
            "judged_at": judged_utc,
        }
        for month, judged in verdicts.items()
        for verdict in judged
    ]
    return frame_of(CHECK_VERDICTS, rows, with_month=True)


def require_passed(session: Session, reads: Iterable[Read], suites: Mapping[str, Suite]) -> dict[Read, int | None]:
    """Let pass only when every check of severity error passed on the last write of every asset and month in `reads`.

    `suites` says what is asked of each asset. A check that errored, is missing, or judged an older write of the month
    blocks like one that failed; one that failed and was accepted since for that write does not. What is older than a newer
    write of its inputs blocks as well (`freshness.py`). Return the snapshot that wrote each, None when there is no row.

    Raises:
        Blocked: says which asset, month and check, how many rows, and what to do.

    """
    wanted = list(dict.fromkeys(reads))
    inputs = inputs_of(session, wanted)
    verdicts = verdicts_on(session, [*inputs])
    judged = {(asset, month) for asset, month, _ in verdicts}
    written = last_writes(session, suites, [read for read in wanted if read in judged])
    accepted = accepted_of(session, verdicts)
    obstacles = [
        f"- {asset}, {month:%Y-%m}: {obstacle}"
        for asset, month in wanted
        for _, obstacle in obstacles_of(suites[asset], month, verdicts, written.get((asset, month)), accepted)
    ]
    stale = outdated(inputs, verdicts, accepted)
    obstacles += [f"- {line}" for line in said({one for read in wanted for one in stale.get(read, ())})]
    if obstacles:
        raise Blocked("\n".join(["What this step reads was not found sound:", *obstacles]))
    return {read: written.get(read) for read in wanted}


def obstacles_of(
    suite: Suite,
    month: date,
    verdicts: Mapping[Judged, Mapping[str, Any]],
    written: int | None,
    accepted: Mapping[Judged, Acceptance],
) -> Iterator[tuple[str, str]]:
    """Yield each check of severity error that holds a month of an asset, with what it says and what to do."""
    for check in suite.checks:
        if check.severity != "error":
            continue
        judged = (suite.asset, month, check.name)
        verdict = verdicts.get(judged)
        if verdict is None:
            yield check.name, f"{check.name} was never judged. Run the checks of {suite.asset} for this month."
        elif verdict["snapshot"] != written:
            yield (
                check.name,
                f"{check.name} judged an older write of the month. Run the checks of {suite.asset} again.",
            )
        elif verdict["errored"]:
            yield check.name, f"{check.name} could not be judged: {verdict['error']}. Mend it, then run it again."
        elif not verdict["passed"] and judged not in accepted:
            found = verdict["statement"] or f"{verdict['unexpected_count']} of {verdict['element_count']}."
            yield check.name, f"{check.name} refuses {found} {check.advice}"


def accepted_of(session: Session, verdicts: Mapping[Judged, Mapping[str, Any]]) -> dict[Judged, Acceptance]:
    """Return the acceptances that still hold for verdicts that refuse."""
    refused = {
        judged: verdict
        for judged, verdict in verdicts.items()
        if verdict["severity"] == "error" and not verdict["passed"]
    }
    if not refused:
        return {}
    given = acceptances_of(session, sorted({month for _, month, _ in refused}))
    return {
        judged: given[judged]
        for judged, verdict in refused.items()
        if judged in given and given[judged].covers(verdict)
    }


def verdicts_on(session: Session, reads: Sequence[Read]) -> dict[Judged, Mapping[str, Any]]:
    """Return the verdicts on these assets and months, by asset, month and check."""
    if not reads:
        return {}
    # The first verdict of all makes the table, and the first since an upgrade its new columns.
    session.bind({CHECK_VERDICTS: None})
    query = f"""
        select asset, month, check_name, severity, passed, errored, unexpected_count, element_count, error, value,
            statement, snapshot
        from check_verdicts
        where {covers({"month": sorted({month for _, month in reads})})}
            and (asset, month) in (select unnest($assets), unnest($months))
    """
    parameters = {"assets": [asset for asset, _ in reads], "months": [month for _, month in reads]}
    found = session.connection.execute(query, parameters).pl()
    return {(row["asset"], row["month"], row["check_name"]): row for row in found.iter_rows(named=True)}


def last_writes(session: Session, suites: Mapping[str, Suite], reads: Sequence[Read]) -> dict[Read, int]:
    """Return the snapshot that last wrote the rows of each asset and month; months without a row are left out.

    The rows say it themselves (DuckLake's column `snapshot_id`): no second record can disagree with them.
    Merging files keeps it; `ducklake_rewrite_data_files` does not, and so voids the verdicts on what it rewrites.
    """
    months: dict[str, list[date]] = {}
    for asset, month in reads:
        months.setdefault(asset, []).append(month)
    queries: list[str] = []
    values: list[object] = []
    for asset, wanted in months.items():
        suite = suites[asset]
        if suite.table is not None:
            conditions = "".join(f" and {column} = ?" for column in suite.scope)
            # A list of months in the text is compared with the statistics of files first; one in a value is not.
            dates = ", ".join(f"date '{month}'" for month in wanted)
            queries.append(
                f"select '{asset}', month, max(snapshot_id) from lake.{suite.table.name}"
                f" where month in ({dates}){conditions} group by month"
            )
            values += suite.scope.values()
    if not queries:
        return {}
    found = session.connection.execute(" union all ".join(queries), values).fetchall()
    return {(asset, month): snapshot for asset, month, snapshot in found}
