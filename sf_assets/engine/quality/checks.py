"""Suites as Dagster asset checks: one step runs all checks of an asset, stores the verdicts and reports them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from sf_assets.engine.quality.acceptances import Acceptance, CheckKey
from sf_assets.engine.quality.rules import Suite, describe_check
from sf_assets.engine.quality.verdicts import (
    Verdict,
    accepted_of,
    check_months,
    record_verdicts,
    rows_of_verdicts,
    verdicts_on,
)
from sf_assets.engine.resources import WarehouseResource, run_created_at
from sf_assets.vocabulary.partitions import add_months, months_of

# Runs of months share a pool of one slot (`dagster.yaml`), so that they follow one another; status refreshes need no slot.
POOL = "months"
_NAMED = 6  # months that a summary names; it counts longer lists


def checks_for(suite: Suite, partitions_def: dg.TimeWindowPartitionsDefinition) -> dg.AssetChecksDefinition:
    """Build the asset checks of one suite: one step, one check per rule and probe, blocking when of severity error.

    `partitions_def` is that of the asset: a check without partitions has one status for all months, and an April that
    passes would hide a March that failed. A run over several months stores the verdicts of each month, which the gate
    reads, and reports one result per check, which passes when all months pass: Dagster gives the results of a run a single
    partition, and accepts a result reported outside of runs only once per month (1.13.27: a unique index over an empty run id).
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

    @dg.multi_asset_check(name=f"{suite.asset}_checks", specs=specs, pool=POOL)
    def run_checks(
        context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        months = months_of(context)
        with warehouse.session() as session:
            verdicts = check_months(session, suite, months)
            record_verdicts(
                session,
                suite.asset,
                verdicts,
                run_id=context.run.run_id,
                judged_at=run_created_at(context.instance, context.run.run_id),
            )
            stored = rows_of_verdicts(verdicts)
            accepted = accepted_of(session, stored)
            before = {add_months(month, -1) for month in months} - verdicts.keys()
            known = stored | verdicts_on(session, [(suite.asset, month) for month in sorted(before)])
        for check in suite.checks:
            concerned = [verdict for of_month in verdicts.values() for verdict in of_month if verdict.check == check]
            refusing = [verdict for verdict in concerned if not verdict.outcome.passed]
            overrides = [accepted[key] for verdict in refusing if (key := _key_of(verdict)) in accepted]
            yield dg.AssetCheckResult(
                asset_key=suite.asset,
                check_name=check.name,
                passed=not refusing,
                severity=_severity_of(refusing or concerned, overrides),
                description=_summary_of(concerned, overrides),
                metadata=_metadata_of(concerned, known, owner=suite.owner) | _acceptance_metadata(overrides),
            )

    return run_checks


def _key_of(verdict: Verdict) -> CheckKey:
    return verdict.asset, verdict.month, verdict.check.name


def _severity_of(verdicts: Sequence[Verdict], accepted: Sequence[Acceptance]) -> dg.AssetCheckSeverity:
    """Return a severity that blocks the run when the gate would, and only then.

    `verdicts` are the failed ones, or all when none failed.
    """
    # A check that raised an error is a bug of this project: it shows as an error even when the check is a note.
    errored = any(verdict.outcome.error for verdict in verdicts)
    if errored or (verdicts[0].check.severity == "error" and len(accepted) < len(verdicts)):
        return dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckSeverity.WARN


def _summary_of(verdicts: Sequence[Verdict], accepted: Sequence[Acceptance]) -> str:
    if errored := [verdict for verdict in verdicts if verdict.outcome.error]:
        return f"Could not run for {_months_of(errored)}: {errored[0].outcome.error}"
    if failed := [verdict for verdict in verdicts if not verdict.outcome.passed]:
        unexpected, total = _counts_of(failed)
        statement = failed[0].outcome.statement or f"{unexpected} of {total}."
        return " ".join([f"Refused for {_months_of(failed)}: {statement}", *_acceptance_lines(accepted)])
    return f"Passed for {_months_of(verdicts)}. {verdicts[-1].outcome.statement}".rstrip()


def _acceptance_lines(accepted: Sequence[Acceptance]) -> list[str]:
    return [f"Accepted for {item.month:%Y-%m} by {item.accepted_by}: {item.reason}" for item in accepted[:_NAMED]]


def _acceptance_metadata(accepted: Sequence[Acceptance]) -> dict[str, Any]:
    return {"accepted": "\n".join(_acceptance_lines(accepted))} if accepted else {}


def _metadata_of(
    verdicts: Sequence[Verdict], known: Mapping[CheckKey, Mapping[str, Any]], *, owner: str
) -> dict[str, Any]:
    """Return the metadata of a result: counts, SQL, advice and a few keys of the first month that failed.

    `known` holds the verdicts of the checked months and of the month before each.
    """
    unexpected, total = _counts_of(verdicts)
    first = next((verdict for verdict in verdicts if not verdict.outcome.passed), verdicts[0])
    metadata: dict[str, Any] = {
        "rule": first.check.name,
        "month": f"{first.month:%Y-%m}",
        "unexpected": unexpected,
        "total": total,
        "percent": _percent(unexpected, total),
        "advice": first.check.advice,
        "owner": owner,
    }
    before = known.get((first.asset, add_months(first.month, -1), first.check.name))
    if before:
        metadata["previous_unexpected"] = before["unexpected_count"]
        metadata["previous_percent"] = _percent(before["unexpected_count"], before["element_count"])
    if first.outcome.value is not None:
        metadata["measured"] = first.outcome.value
    if before and before["value"] is not None:
        metadata["previous_measured"] = before["value"]
    if first.outcome.query:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{first.outcome.query}\n```")
    if first.outcome.sample:
        metadata["sample_keys"] = dg.MetadataValue.json([dict(key) for key in first.outcome.sample])
    if first.outcome.error:
        metadata["error"] = first.outcome.error
    return metadata


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0


def _counts_of(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    outcomes = [verdict.outcome for verdict in verdicts]
    return sum(outcome.unexpected_count for outcome in outcomes), sum(outcome.element_count for outcome in outcomes)


def _months_of(verdicts: Sequence[Verdict]) -> str:
    months = [f"{verdict.month:%Y-%m}" for verdict in verdicts]
    return ", ".join(months) if len(months) <= _NAMED else f"{len(months)} months from {months[0]} to {months[-1]}"
