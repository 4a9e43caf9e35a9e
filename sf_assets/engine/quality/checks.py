"""Suites as Dagster asset checks: one step judges all checks of an asset, records the verdicts and shows them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from sf_assets.engine.quality.acceptances import Acceptance, CheckKey
from sf_assets.engine.quality.rules import Suite, describe_check
from sf_assets.engine.quality.verdicts import Verdict, accepted_of, check_months, record_verdicts, verdicts_on
from sf_assets.engine.resources import WarehouseResource, clock_of
from sf_assets.vocabulary.partitions import add_months, months_of

# Every run of months judges: its pool of one (`dagster.yaml`) lets them follow one another, and looks go beside them.
POOL = "months"
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
            description=f"{describe_check(check)} {check.advice}",
            blocking=check.severity == "error",
            partitions_def=partitions_def,
        )
        for check in suite.checks
    ]

    @dg.multi_asset_check(name=f"{suite.asset}_checks", specs=specs, pool=POOL)
    def judge_asset(
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
                judged_at=clock_of(context.instance, context.run.run_id),
            )
            known = verdicts_on(
                session, [(suite.asset, day) for month in months for day in (month, add_months(month, -1))]
            )
            accepted = accepted_of(session, {judged: row for judged, row in known.items() if judged[1] in verdicts})
        for check in suite.checks:
            concerned = [verdict for judged in verdicts.values() for verdict in judged if verdict.check == check]
            refusing = [verdict for verdict in concerned if not verdict.outcome.passed]
            given = [accepted[found] for verdict in refusing if (found := _place_of(verdict)) in accepted]
            yield dg.AssetCheckResult(
                asset_key=suite.asset,
                check_name=check.name,
                passed=not refusing,
                severity=_severity_of(refusing or concerned, given),
                description=_summary_of(concerned, given),
                metadata=_metadata_of(concerned, known, owner=suite.owner) | _told(given),
            )

    return judge_asset


def _place_of(verdict: Verdict) -> CheckKey:
    return verdict.asset, verdict.month, verdict.check.name


def _severity_of(verdicts: Sequence[Verdict], accepted: Sequence[Acceptance]) -> dg.AssetCheckSeverity:
    """Return a severity that blocks the run when the gate would, and only then.

    `verdicts` are those that refuse, or all when none does.
    """
    # A check that could not be judged is a fault of ours, to be seen even when what it says is a note.
    errored = any(verdict.outcome.error for verdict in verdicts)
    if errored or (verdicts[0].check.severity == "error" and len(accepted) < len(verdicts)):
        return dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckSeverity.WARN


def _summary_of(verdicts: Sequence[Verdict], accepted: Sequence[Acceptance]) -> str:
    if errored := [verdict for verdict in verdicts if verdict.outcome.error]:
        return f"Could not be judged for {_months_of(errored)}: {errored[0].outcome.error}"
    if failed := [verdict for verdict in verdicts if not verdict.outcome.passed]:
        unexpected, total = _counts_of(failed)
        found = failed[0].outcome.statement or f"{unexpected} of {total}."
        return " ".join([f"Refused for {_months_of(failed)}: {found}", *_accepted(accepted)])
    return f"Passed for {_months_of(verdicts)}. {verdicts[-1].outcome.statement}".rstrip()


def _accepted(given: Sequence[Acceptance]) -> list[str]:
    return [f"Accepted for {one.month:%Y-%m} by {one.accepted_by}: {one.reason}" for one in given[:_NAMED]]


def _told(given: Sequence[Acceptance]) -> dict[str, Any]:
    return {"accepted": "\n".join(_accepted(given))} if given else {}


def _metadata_of(
    verdicts: Sequence[Verdict], known: Mapping[CheckKey, Mapping[str, Any]], *, owner: str
) -> dict[str, Any]:
    """Return what an operator needs to act: counts, SQL, advice and a few keys of the first month that did not pass.

    `known` holds the verdicts of the months judged and of those before them.
    """
    unexpected, total = _counts_of(verdicts)
    shown = next((verdict for verdict in verdicts if not verdict.outcome.passed), verdicts[0])
    metadata: dict[str, Any] = {
        "rule": shown.check.name,
        "month": f"{shown.month:%Y-%m}",
        "unexpected": unexpected,
        "total": total,
        "percent": _percent(unexpected, total),
        "advice": shown.check.advice,
        "owner": owner,
    }
    before = known.get((shown.asset, add_months(shown.month, -1), shown.check.name))
    if before:
        metadata["previous_unexpected"] = before["unexpected_count"]
        metadata["previous_percent"] = _percent(before["unexpected_count"], before["element_count"])
    if shown.outcome.value is not None:
        metadata["measured"] = shown.outcome.value
    if before and before["value"] is not None:
        metadata["previous_measured"] = before["value"]
    if shown.outcome.query:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{shown.outcome.query}\n```")
    if shown.outcome.sample:
        metadata["sample_keys"] = dg.MetadataValue.json([dict(key) for key in shown.outcome.sample])
    if shown.outcome.error:
        metadata["error"] = shown.outcome.error
    return metadata


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0


def _counts_of(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    outcomes = [verdict.outcome for verdict in verdicts]
    return sum(outcome.unexpected_count for outcome in outcomes), sum(outcome.element_count for outcome in outcomes)


def _months_of(verdicts: Sequence[Verdict]) -> str:
    months = [f"{verdict.month:%Y-%m}" for verdict in verdicts]
    return ", ".join(months) if len(months) <= _NAMED else f"{len(months)} months from {months[0]} to {months[-1]}"
