"""Suites as Dagster asset checks: one step judges all checks of an asset, records the verdicts and shows them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from sf_assets.quality.rules import Suite, meaning_of
from sf_assets.quality.verdicts import Verdict, judge_months, record
from sf_assets.storage import Warehouse

_NAMED = 6  # months a summary names before it only counts them


def checks_for(suite: Suite, partitions_def: dg.TimeWindowPartitionsDefinition) -> dg.AssetChecksDefinition:
    """Build the asset checks of one suite: one step, one check per rule and probe, blocking when of severity error.

    `partitions_def` is the asset's: a check without partitions has one status for all months, and a good April would
    release a bad March. A run over several months records each month's verdicts, which the gate reads, and shows one
    result per check, which passes when all months pass: Dagster gives the results of a run a single partition, and
    takes a result reported outside of runs only once per month (1.13.27: a unique index over an empty run id).
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

    @dg.multi_asset_check(name=f"{suite.asset}_checks", specs=specs)
    def judge_asset(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
        months = [partitions_def.time_window_for_partition_key(key).start.date() for key in context.partition_keys]
        with warehouse.session() as session:
            verdicts = judge_months(session, suite, months)
            record(session, suite.asset, verdicts, run_id=context.run.run_id, judged_at=_creation_of(context))
        for check in suite.checks:
            concerned = [verdict for judged in verdicts.values() for verdict in judged if verdict.check == check]
            yield dg.AssetCheckResult(
                asset_key=suite.asset,
                check_name=check.name,
                passed=all(verdict.outcome.passed for verdict in concerned),
                severity=_severity_of(concerned),
                description=_summary_of(concerned),
                metadata=_metadata_of(concerned),
            )

    return judge_asset


def _creation_of(context: dg.AssetCheckExecutionContext) -> datetime:
    """Return when the run was created: the one clock of a verdict."""
    run = context.instance.get_run_record_by_id(context.run.run_id)
    if run is None:
        raise LookupError(f"run {context.run.run_id} is not recorded in the instance")
    created: datetime = run.create_timestamp
    return created


def _severity_of(verdicts: Sequence[Verdict]) -> dg.AssetCheckSeverity:
    # A check that could not be judged is a fault of ours, to be seen even when what it says is a note.
    errored = any(verdict.outcome.error for verdict in verdicts)
    if errored or verdicts[0].check.severity == "error":
        return dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckSeverity.WARN


def _summary_of(verdicts: Sequence[Verdict]) -> str:
    if errored := [verdict for verdict in verdicts if verdict.outcome.error]:
        return f"Could not be judged for {_months_of(errored)}: {errored[0].outcome.error}"
    if failed := [verdict for verdict in verdicts if not verdict.outcome.passed]:
        unexpected, total = _counts_of(failed)
        return f"Refused for {_months_of(failed)}: {unexpected} of {total}."
    return f"Passed for {_months_of(verdicts)}."


def _metadata_of(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return what an operator needs to act: counts, SQL, advice and a few keys of the first month that did not pass."""
    unexpected, total = _counts_of(verdicts)
    shown = next((verdict for verdict in verdicts if not verdict.outcome.passed), verdicts[0])
    metadata: dict[str, Any] = {
        "rule": shown.check.name,
        "month": f"{shown.month:%Y-%m}",
        "unexpected": unexpected,
        "total": total,
        "percent": round(100 * unexpected / total, 3) if total else 0.0,
        "advice": shown.check.advice,
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
    months = [f"{verdict.month:%Y-%m}" for verdict in verdicts]
    return ", ".join(months) if len(months) <= _NAMED else f"{len(months)} months from {months[0]} to {months[-1]}"
