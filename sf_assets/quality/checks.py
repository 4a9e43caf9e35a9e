"""Suites as Dagster asset checks: one step judges all checks of an asset, records the verdicts and shows them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date
from typing import Any

import dagster as dg

from sf_assets.quality.rules import Probe, Suite, meaning_of
from sf_assets.quality.verdicts import Verdict, judge_month, record
from sf_assets.schema import Rule
from sf_assets.storage import Warehouse


def checks_for(
    suite: Suite, partitions_def: dg.TimeWindowPartitionsDefinition, *, pool: str | None = None
) -> dg.AssetChecksDefinition:
    """Build the asset checks of one suite: one step, one check per rule and probe, blocking when of severity error.

    `partitions_def` is the asset's: a check without partitions has one status for all months, and a good April would
    release a bad March. A run over several months records each month's verdicts and shows one result per check, which
    passes when all months pass.
    """
    specs = [
        dg.AssetCheckSpec(
            check.name,
            asset=suite.asset,
            description=f"{meaning_of(check)} {check.advice}",
            blocking=check.severity == "error",
            partitions_def=partitions_def,
        )
        for check in suite.checks
    ]

    @dg.multi_asset_check(name=f"{suite.asset}_checks", specs=specs, pool=pool)
    def judge_asset(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
        months = {key: partitions_def.time_window_for_partition_key(key).start.date() for key in context.partition_keys}
        verdicts = _judge_and_record(context, warehouse, suite, list(months.values()))
        if len(months) > 1:
            _report_each_month(context, suite, months, verdicts)
        for check in suite.checks:
            concerned = [verdict for verdict in verdicts if verdict.check.name == check.name]
            yield dg.AssetCheckResult(
                asset_key=suite.asset,
                check_name=check.name,
                passed=all(verdict.outcome.passed for verdict in concerned),
                severity=_severity_of(check, concerned),
                description=_summary_of(concerned),
                metadata=_metadata_of(check, concerned),
            )

    return judge_asset


def _judge_and_record(
    context: dg.AssetCheckExecutionContext, warehouse: Warehouse, suite: Suite, months: Sequence[date]
) -> list[Verdict]:
    record_of_run = context.instance.get_run_record_by_id(context.run.run_id)
    if record_of_run is None:
        raise LookupError(f"run {context.run.run_id} judges {suite.asset} but is not recorded in the instance")
    judged_at = record_of_run.create_timestamp.astimezone(UTC).replace(tzinfo=None)
    verdicts: list[Verdict] = []
    with warehouse.session() as session:
        for month in months:
            judged = judge_month(session, suite, month)
            record(session, judged, run_id=context.run.run_id, judged_at=judged_at)
            verdicts.extend(judged)
    return verdicts


def _report_each_month(
    context: dg.AssetCheckExecutionContext, suite: Suite, months: Mapping[str, date], verdicts: Sequence[Verdict]
) -> None:
    """Give every month of a backfill in one run its own status, which results of the run cannot carry."""
    keys = {month: key for key, month in months.items()}
    for verdict in verdicts:
        context.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(suite.asset),
                check_name=verdict.check.name,
                passed=verdict.outcome.passed,
                severity=_severity_of(verdict.check, [verdict]),
                description=_summary_of([verdict]),
                metadata=_metadata_of(verdict.check, [verdict]),
                blocking=verdict.check.severity == "error",
                partition=keys[verdict.month],
            )
        )


def _severity_of(check: Rule | Probe, verdicts: Sequence[Verdict]) -> dg.AssetCheckSeverity:
    # A check that could not be judged is a fault of ours, to be seen even when what it says is a note.
    errored = any(verdict.outcome.error for verdict in verdicts)
    return dg.AssetCheckSeverity.ERROR if errored or check.severity == "error" else dg.AssetCheckSeverity.WARN


def _summary_of(verdicts: Sequence[Verdict]) -> str:
    if errored := [verdict for verdict in verdicts if verdict.outcome.error]:
        return f"Could not be judged for {_months_of(errored)}: {errored[0].outcome.error}"
    if failed := [verdict for verdict in verdicts if not verdict.outcome.passed]:
        unexpected, total = _counts_of(failed)
        return f"Refused for {_months_of(failed)}: {unexpected} of {total}."
    return f"Passed for {_months_of(verdicts)}."


def _metadata_of(check: Rule | Probe, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return what an operator needs to act: counts, SQL, advice and a few keys of the first month that did not pass."""
    unexpected, total = _counts_of(verdicts)
    shown = next((verdict for verdict in verdicts if not verdict.outcome.passed), verdicts[0])
    metadata: dict[str, Any] = {
        "rule": check.name,
        "month": f"{shown.month:%Y-%m}",
        "unexpected": unexpected,
        "total": total,
        "percent": round(100 * unexpected / total, 3) if total else 0.0,
        "advice": check.advice,
    }
    if shown.outcome.query:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{shown.outcome.query}\n```")
    if shown.outcome.sample:
        metadata["sample_keys"] = dg.MetadataValue.json([dict(key) for key in shown.outcome.sample])
    if shown.outcome.error:
        metadata["error"] = shown.outcome.error
    return metadata


def _counts_of(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    outcomes = [verdict.outcome for verdict in verdicts]
    return sum(outcome.unexpected_count for outcome in outcomes), sum(outcome.element_count for outcome in outcomes)


def _months_of(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{verdict.month:%Y-%m}" for verdict in verdicts)
