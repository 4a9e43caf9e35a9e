"""Suites as Dagster asset checks: one step runs all checks of an asset, stores the verdicts and reports them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from sf_assets.engine.quality.acceptances import Acceptance, CheckKey
from sf_assets.engine.quality.rules import Probe, Suite, counts_rows, describe_check, is_measure
from sf_assets.engine.quality.verdicts import (
    Verdict,
    accepted_of,
    check_months,
    months_checked,
    record_verdicts,
    rows_of_verdicts,
    verdicts_on,
)
from sf_assets.engine.resources import WarehouseResource, run_created_at
from sf_assets.engine.storage import Warehouse
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.partitions import add_months, months_of
from sf_assets.vocabulary.schema import Rule

# Runs of months share a pool of one slot (`dagster.yaml`), so that they follow one another; status refreshes need no slot.
POOL = "months"


def checks_for(suite: Suite, partitions_def: dg.TimeWindowPartitionsDefinition) -> dg.AssetChecksDefinition:
    """Build the asset checks of one suite: one step, one check per rule and probe, blocking when of severity error.

    `partitions_def` is that of the asset: a check without partitions has one status for all months, and an April that
    passes would hide a March that failed. A run over several months reports a result for each of them: otherwise Dagster
    gives the results of such a run no partition at all, and shows the checks of every month as skipped. An operator may
    select some of the checks: only their verdicts are stored again. A run without a month checks every month that has
    verdicts: the button "Execute all" of Dagster's pages asks for none.
    """
    specs = [
        dg.AssetCheckSpec(
            check.name,
            asset=suite.asset,
            description=f"{describe_check(check)} {check.advice}",
            blocking=check.severity == "error",
            partitions_def=partitions_def,
        )
        for check in suite.checks
    ]

    @dg.multi_asset_check(name=f"{suite.asset}_checks", specs=specs, can_subset=True, pool=POOL)
    def run_checks(
        context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
        has_months = context.has_partition_key or context.has_partition_key_range
        months = months_of(context) if has_months else _months_with_verdicts(warehouse, suite.asset)
        selected = suite.only(key.name for key in context.selected_asset_check_keys)
        with warehouse.session() as session:
            verdicts = check_months(session, selected, months)
            record_verdicts(
                session,
                suite.asset,
                verdicts,
                run_id=context.run.run_id,
                judged_at=run_created_at(context.instance, context.run.run_id),
                checks=None if selected == suite else [check.name for check in selected.checks],
            )
            stored = rows_of_verdicts(verdicts)
            accepted = accepted_of(session, stored)
            before = {add_months(month, -1) for month in months} - verdicts.keys()
            known = stored | verdicts_on(session, [(suite.asset, month) for month in sorted(before)])
        results = {
            (verdict.check.name, month): _result_of(verdict, known, accepted.get(_key_of(verdict)), owner=suite.owner)
            for month, of_month in verdicts.items()
            for verdict in of_month
        }
        yield from _by_month(context, results, specs)
        for check in selected.checks:
            if not has_months:
                of_check = [result for (name, _), result in results.items() if name == check.name]
                yield _of_all_months(suite.asset, check, of_check)
            yield _output_of(check.name, specs)

    return run_checks


def _key_of(verdict: Verdict) -> CheckKey:
    return verdict.asset, verdict.month, verdict.check.name


def _by_month(
    context: dg.AssetCheckExecutionContext,
    results: Mapping[tuple[str, date], dg.AssetCheckResult],
    specs: Sequence[dg.AssetCheckSpec],
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield the results as events of their partitions.

    Dagster would look up the checked write once for each result of a check (1.13.27); here once for each month.
    """
    specs_by_name = {spec.name: spec for spec in specs}
    checked = {
        month: _checked_write(context.instance, specs[0].asset_key, month)
        for month in dict.fromkeys(month for _, month in results)
    }
    for (name, month), result in results.items():
        yield dg.AssetCheckEvaluation(
            asset_key=specs[0].asset_key,
            check_name=name,
            passed=result.passed,
            metadata=result.metadata,
            target_materialization_data=checked[month],
            severity=result.severity,
            description=result.description,
            blocking=specs_by_name[name].blocking,
            partition=month.isoformat(),
        )


def _output_of(name: str, specs: Sequence[dg.AssetCheckSpec]) -> dg.Output[None]:
    """Return the output that a check must have, whose results are events already."""
    (identifier,) = (spec.get_python_identifier() for spec in specs if spec.name == name)
    return dg.Output(None, output_name=identifier)


def _of_all_months(asset: str, check: Rule | Probe, results: Sequence[dg.AssetCheckResult]) -> dg.AssetCheckEvaluation:
    """Return the result of a run without a month: that of its months together.

    An event, because Dagster refuses the result of a check by month in such a run (1.13.27).
    """
    refused = [result for result in results if not result.passed]
    worst = next((one for one in refused if one.severity is dg.AssetCheckSeverity.ERROR), next(iter(refused), None))
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=check.name,
        passed=not refused,
        metadata={},
        severity=worst.severity if worst else dg.AssetCheckSeverity.WARN,
        description=f"{len(results)} months checked, {len(refused)} refused. {worst.description if worst else ''}".rstrip(),
        blocking=check.severity == "error",
    )


def _months_with_verdicts(warehouse: Warehouse, asset: str) -> list[date]:
    """Return the months of an asset that were checked before, oldest first.

    Raises:
        PermanentFailure: none was.

    """
    with warehouse.session() as session:
        if months := months_checked(session, asset):
            return months
    raise PermanentFailure(
        f"{asset}: expected a month that was checked before, found none. Materialise {asset} for a month."
    )


def _checked_write(
    instance: dg.DagsterInstance, asset: dg.AssetKey, month: date
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """Return the last materialisation of a month: a result on an older one shows as out of date."""
    of_month = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[month.isoformat()])
    for record in instance.fetch_materializations(of_month, limit=1).records:
        return AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
    return None


def _result_of(
    verdict: Verdict, known: Mapping[CheckKey, Mapping[str, Any]], accepted: Acceptance | None, *, owner: str
) -> dg.AssetCheckResult:
    """Return a verdict as Dagster shows it; `known` holds the verdicts of the month and of the month before."""
    return dg.AssetCheckResult(
        asset_key=verdict.asset,
        check_name=verdict.check.name,
        passed=verdict.outcome.passed,
        severity=_severity_of(verdict, accepted),
        description=_summary_of(verdict, accepted),
        metadata=_metadata_of(verdict, known, owner=owner)
        | ({"accepted": _acceptance_line(accepted)} if accepted else {}),
    )


def _severity_of(verdict: Verdict, accepted: Acceptance | None) -> dg.AssetCheckSeverity:
    """Return a severity that blocks the run when the gate would, and only then."""
    # A check that raised an error is a bug of this project: it shows as an error even when the check is a note.
    if verdict.outcome.error or (verdict.check.severity == "error" and not accepted):
        return dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckSeverity.WARN


def _summary_of(verdict: Verdict, accepted: Acceptance | None) -> str:
    outcome, month = verdict.outcome, f"{verdict.month:%Y-%m}"
    if outcome.error:
        return f"Could not run for {month}: {outcome.error}"
    if outcome.passed:
        return f"Passed for {month}. {outcome.statement}".rstrip()
    statement = outcome.statement or f"{outcome.unexpected_count} of {outcome.element_count}."
    return " ".join([f"Refused for {month}: {statement}", *([_acceptance_line(accepted)] if accepted else [])])


def _acceptance_line(accepted: Acceptance) -> str:
    return f"Accepted for {accepted.month:%Y-%m} by {accepted.accepted_by}: {accepted.reason}"


def _metadata_of(verdict: Verdict, known: Mapping[CheckKey, Mapping[str, Any]], *, owner: str) -> dict[str, Any]:
    """Return the metadata of a result: what its check counts or measures, SQL, advice and a few keys."""
    outcome, check = verdict.outcome, verdict.check
    metadata: dict[str, Any] = {
        "rule": check.name,
        "month": f"{verdict.month:%Y-%m}",
        "advice": check.advice,
        "owner": owner,
    }
    before = known.get((verdict.asset, add_months(verdict.month, -1), check.name))
    if not is_measure(check):
        metadata["total"] = outcome.element_count
    if counts_rows(check):
        metadata["unexpected"] = outcome.unexpected_count
        metadata["percent"] = _percent(outcome.unexpected_count, outcome.element_count)
        if before:
            metadata["previous_unexpected"] = before["unexpected_count"]
            metadata["previous_percent"] = _percent(before["unexpected_count"], before["element_count"])
    if outcome.value is not None:
        metadata["measured"] = outcome.value
    if before and before["value"] is not None:
        metadata["previous_measured"] = before["value"]
    if outcome.query:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{outcome.query}\n```")
    if outcome.sample:
        metadata["sample_keys"] = dg.MetadataValue.json([dict(key) for key in outcome.sample])
    if outcome.error:
        metadata["error"] = outcome.error
    return metadata


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0
