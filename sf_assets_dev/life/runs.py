"""Mishaps of runs and settings: a killed run, other settings, an acceptance, another version of the package."""

from datetime import UTC, date, datetime
from unittest.mock import patch

import dagster as dg

from sf_assets.catalogue.tables import SUITES
from sf_assets.operations.acceptance import accept
from sf_assets.vocabulary.version import VERSION
from sf_assets_dev.deployment import Deployment, Run
from sf_assets_dev.faults.injection import spoil_file
from sf_assets_dev.life.deployment import OperatedDeployment
from sf_assets_dev.life.mishap import Mishap, deliver_batch, file_fault, shortened

_OF_A_MONTH = dg.AssetSelection.groups("staging", "clean", "features", "model", "lists")


def _below(deployment: Deployment, asset: str) -> set[str]:
    """Return the assets of a month that follow an asset."""
    return deployment.names_of(dg.AssetSelection.assets(asset).downstream(include_self=False) & _OF_A_MONTH)


def killed_run(deployment: OperatedDeployment, month: date) -> Mishap:
    """Kill the process of a run in the middle of a month."""
    killed = deployment.kill("monthly", month, after="clean_cotisation")
    before = deployment.rows("stg_cotisation", month)
    waits = deployment.look_twice()
    # The button "Mark as canceled" of the page of the run: nobody else knows that its process is gone.
    for run in deployment.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        deployment.instance.report_run_canceled(run)
    deployment.start(deployment.look())
    return Mishap(
        "the process of a run is killed",
        f"the sensor says: {shortened(waits.said)}",
        ("mark the run as cancelled on its page; the sensor starts the month again",),
        "the steps after the last one that had ended",
        killed and deployment.is_green(month) and deployment.rows("stg_cotisation", month) == before,
    )


def wrong_settings(deployment: OperatedDeployment, month: date) -> Mishap:
    """Run one asset with other settings, then with those of the deployment, and what follows it."""
    lists = deployment.lists(month)
    deployment.changed(perimeter_months=24).build(month, "stg_filter_import")
    status = deployment.status(month)
    seen = next(
        (f"{layer}: {one.state}, {one.detail}" for layer, one in status.items() if one.state != "done"), "all done"
    )
    deployment.build(month, "stg_filter_import", *_below(deployment, "stg_filter_import"))
    return Mishap(
        "one asset is run again with other settings",
        f"status: {shortened(seen)}",
        ("materialise stg_filter_import and what follows it, with the settings of the deployment",),
        "nothing: the same rows give the same list, which is not made again",
        seen != "all done" and deployment.is_green(month) and deployment.lists(month) == lists,
    )


def accepted_then_scheduled(deployment: OperatedDeployment, month: date) -> Mishap:
    """Accept a failed check, and those that its rows fail further down, then let the schedule's day come."""
    deliver_batch(deployment, month)
    fault = file_fault("debts_times_hundred")
    spoil_file(fault, deployment.incoming, month)
    deployment.start(deployment.look_twice())
    seen = deployment.status(month)["staging"].detail
    accepted = _accepted(deployment, {fault.asset: {fault.check}}, month)
    ticked = deployment.tick(month)
    return Mishap(
        "a failed check is accepted, then the schedule's day comes",
        f"status: {shortened(seen)}; then the schedule says: {shortened(ticked.said)}",
        (*accepted, f"materialise what follows {fault.asset}"),
        "nothing: the acceptances hold",
        fault.check in seen and not ticked.requests and deployment.is_green(month),
    )


def _accepted(deployment: Deployment, refused: dict[str, set[str]], month: date) -> list[str]:
    """Accept failed checks and compute what follows, until no check fails; return the commands that do it."""
    commands: list[str] = []
    while refused:
        commands += [_accept(deployment, asset, check, month) for asset in refused for check in sorted(refused[asset])]
        below = set().union(*(_below(deployment, asset) for asset in refused))
        refused = _refused(deployment.build(month, *below))
    return commands


def _refused(run: Run) -> dict[str, set[str]]:
    return {asset: run.blocking(asset) for asset in run.refused if run.blocking(asset)}


def _accept(deployment: Deployment, asset: str, check: str, month: date) -> str:
    """Accept a failed check and return the command that does it."""
    reason, by, now = "Montants confirmés par le producteur", "C. Duval", datetime.now(UTC)
    with deployment.warehouse.session() as session:
        accept(session, SUITES[asset], check, month, reason=reason, accepted_by=by, accepted_at=now)
    return f"sf accept {month:%Y-%m} {asset} {check}"


def shares_without_model(deployment: OperatedDeployment, month: date) -> Mishap:
    """Ask for another length of a list that the threshold method made, which has limits of its own."""
    before = deployment.lists(month)
    run = deployment.changed(alert_shares=(0.01, 0.05)).run("score", month)
    said = run.metadata["model_fitted"].get("without_effect", "nothing")
    return Mishap(
        "SF_ALERT_SHARES is set although history is too short for a model",
        f"the run warns, and metadata of model_fitted say: without effect {said}",
        ("remove the setting, or deliver the history",),
        "nothing: the list stays the same, without another version",
        run.success and said == "SF_ALERT_SHARES" and deployment.lists(month) == before,
    )


def other_rules(deployment: OperatedDeployment, month: date, rules: tuple[str, ...]) -> Mishap:
    """Ask for expert rules, which make the list that was handed over much longer."""
    before, changed = deployment.lists(month), deployment.changed(corrections=rules)
    refused = _refused(changed.run("score", month))
    commands = _accepted(changed, refused, month)
    after = deployment.lists(month)
    checks = ", ".join(f"{asset} {check}" for asset in refused for check in sorted(refused[asset]))
    return Mishap(
        "SF_CORRECTIONS makes a list that was handed over more than twice as long",
        f"refused by {checks or 'no check'}; lists before: {', '.join(before)}; after: {', '.join(after)}",
        (f"sf run score {month:%Y-%m}", *commands, "materialise what follows"),
        "nothing: the former list stays in its folder",
        bool(refused) and len(after) == len(before) + 1,
    )


def new_version(deployment: OperatedDeployment, month: date, rules: tuple[str, ...]) -> Mishap:
    """Make a list again with another version of the package."""
    before = deployment.lists(month)
    with patch("sf_assets.lists.month_list.VERSION", f"{VERSION}.post1"):
        deployment.changed(corrections=rules).build(month, "list_export")
    after = deployment.lists(month)
    return Mishap(
        "a new version of the package makes a list again",
        f"lists before: {', '.join(before)}; after: {', '.join(after)}",
        (),
        "nothing: other files are the next version",
        len(after) == len(before) + 1,
    )
