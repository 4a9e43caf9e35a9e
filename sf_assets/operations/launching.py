"""Jobs run in this process, with their progress on the terminal."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from sf_assets.engine.storage import Warehouse
from sf_assets.features.reach import REACH, first_month
from sf_assets.operations.automation import batch_job, history_job, monthly_job
from sf_assets.operations.progress import Reporter
from sf_assets.operations.reruns import is_open, never_checked, reads_of_past, stale_past
from sf_assets.publication.assets import JOB as PUBLISH
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import months

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# The code location of workspace.yaml, which Dagster names after its module.
CODE_LOCATION = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("sf_assets.definitions"), "__repository__")
_REPOSITORY = ".dagster/repository"
# Whoever launched a run in their process sees it fail: a daemon that runs beside it must not start it again.
_NO_RETRY: Mapping[str, str] = MappingProxyType({"dagster/max_retries": "0"})
_NO_CONFIG: Mapping[str, Any] = MappingProxyType({})


def run_job(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    job: str,
    *,
    first: date,
    last: date | None = None,
    config: Mapping[str, Any] = _NO_CONFIG,
    only: Collection[dg.AssetKey] = (),
) -> bool:
    """Run a job for the months from `first` to `last`, by default for `first` alone; return whether it succeeded.

    Jobs that compute a range of months together take one run, or one for every `SF_RUN_MONTHS` months. The others take one
    run per month. The first run that fails is the last: a month is compared with those before it.

    `config` is the configuration of its steps; `only` are the assets to which it is restricted, with their checks.

    Raises:
        UserError: there is no such job, a month has not ended, or the range starts after its end.

    """
    whole = _require_job(defs, job, configured=bool(config))
    last = last or first
    known = months.get_partition_keys()
    if unknown := sorted({month.isoformat() for month in (first, last)} - set(known)):
        raise UserError(f"month: expected months that have ended, found {unknown[0][:7]}")
    keys = [key for key in known if first.isoformat() <= key <= last.isoformat()]
    if not keys:
        raise UserError(
            f"months: expected a range from its earlier month to its later one, found {first:%Y-%m} to {last:%Y-%m}"
        )
    policy = whole.backfill_policy
    part = whole.get_subset(asset_selection=frozenset(only)) if only else whole
    size = (policy.max_partitions_per_run or len(keys)) if policy else 1
    runs = [keys[start : start + size] for start in range(0, len(keys), size)]
    succeeded = all(_run(part, instance, of, {**QUIET, **config}) for of in runs)
    refresh_status(defs, instance)
    return succeeded


def run_from(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    warehouse: Warehouse,
    job: str,
    *,
    month: date,
    starts: Sequence[str] = (),
    after: Sequence[str] = (),
) -> bool:
    """Run the assets of a job that are among `starts`, or follow one of `starts` or `after`; return whether all succeeded.

    With neither, the whole job is run. What they need and was never run for the month is run too. Models of a month learn from
    the months before it. When features of these were computed from the batch of the month, as those of a first batch are, they
    are run again as soon as its clean tables have changed, before what reads them.

    Raises:
        UserError: there is no such job or asset, no asset of the job follows it, or the month has not ended.

    """
    graph = defs.resolve_asset_graph()
    wanted = assets_from(defs, job, starts=starts, after=after)
    above = _names_of(dg.AssetSelection.keys(*wanted).upstream().resolve(graph) & _assets_of(defs, job) - wanted)
    with warehouse.session() as session:
        wanted |= {dg.AssetKey(name) for name in never_checked(session, above, month)}
        batch = wanted & _assets_of(defs, batch_job.name)
        in_parts = job == monthly_job.name and reads_of_past(session, month)
    if not in_parts:
        return run_job(defs, instance, job, first=month, only=wanted)
    rest = wanted - batch
    loaded = not batch or run_job(defs, instance, job, first=month, only=batch)
    read = _names_of({parent for key in rest for parent in graph.get(key).parent_keys} - rest)
    with warehouse.session() as session:
        # A refused source that nothing here reads stops nothing.
        if not rest or not (loaded or is_open(session, read, month)):
            return loaded
        names, past = stale_past(session, month)
    features = [dg.AssetKey(name) for name in names]
    if past and not run_job(defs, instance, history_job.name, first=past[0], last=past[-1], only=features):
        return False
    return run_job(defs, instance, job, first=month, only=rest) and loaded


def assets_from(
    defs: dg.Definitions, job: str, *, starts: Sequence[str] = (), after: Sequence[str] = ()
) -> frozenset[dg.AssetKey]:
    """Return the assets of a job that are among `starts`, or follow one of `starts` or `after`; with neither, all of them.

    Raises:
        UserError: there is no such job or asset, or no asset of the job follows it.

    """
    _require_job(defs, job)
    of_job, graph = _assets_of(defs, job), defs.resolve_asset_graph()
    known = {key.to_user_string() for key in graph.materializable_asset_keys}
    found = frozenset[dg.AssetKey]() if starts or after else of_job
    for name in (*starts, *after):
        if name not in known:
            near = sorted(other for other in known if name in other) or get_close_matches(name, known) or sorted(known)
            raise UserError(f"asset: expected one of {', '.join(near)}, found {name}")
        following = dg.AssetSelection.assets(name).downstream(include_self=name in starts).resolve(graph) & of_job
        if not following:
            raise UserError(f"{name}: expected an asset followed by some of job {job}, found none of them")
        found |= following
    return found


def _assets_of(defs: dg.Definitions, job: str) -> frozenset[dg.AssetKey]:
    return frozenset(defs.resolve_job_def(job).asset_layer.selected_asset_keys)


def _names_of(keys: Collection[dg.AssetKey]) -> set[str]:
    return {key.to_user_string() for key in keys}


def _require_job(defs: dg.Definitions, job: str, *, configured: bool = False) -> dg.JobDefinition:
    """Return a job of months by name.

    Jobs without months (status, acceptance, maintenance), and the one that asks who publishes and why (`configured`), have
    verbs of their own; Dagster adds a job of all assets.
    """
    jobs = {
        one.name: one
        for one in defs.resolve_all_job_defs()
        if one.partitions_def and not one.name.startswith("__") and (configured or one.name != PUBLISH)
    }
    if job not in jobs:
        raise UserError(f"job: expected one of {', '.join(sorted(jobs))}, found {job}")
    return jobs[job]


def _run(job: dg.JobDefinition, instance: dg.DagsterInstance, keys: Sequence[str], config: Mapping[str, Any]) -> bool:
    """Run a job for a month, or in one run for several; return whether it succeeded."""
    when: dict[str, Any] = {"partition_key": keys[0]}
    if len(keys) > 1:
        bounds = {"start": keys[0], "end": keys[-1]}
        when = {"tags": {f"dagster/asset_partition_range_{end}": key for end, key in bounds.items()}}
    run_id = str(uuid.uuid4())
    title = f"{job.name} {' to '.join(dict.fromkeys(key[:7] for key in (keys[0], keys[-1])))}"
    with Reporter(title, len(job.graph.node_dict)) as steps:
        instance.add_event_listener(run_id, steps)
        return _execute(job, instance, config, run_id=run_id, **when)


def _execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
    *,
    tags: Mapping[str, str] = _NO_CONFIG,
    **when: Any,
) -> bool:
    """Run a job in this process; return whether it succeeded. The pages of Dagster show the run beside those of the daemon."""
    origin = CODE_LOCATION.get_job_origin(job.name)
    tags = {**tags, **_NO_RETRY, _REPOSITORY: CODE_LOCATION.get_label()}
    result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False, tags=tags, **when)
    # A run in process names no code location (Dagster 1.13): neither the timeline nor the page of its job would show it.
    instance.run_storage.replace_job_origin(result.dagster_run, origin)
    return result.success


def refresh_status(defs: dg.Definitions, instance: dg.DagsterInstance) -> bool:
    """Materialise `status`, as the daemon does after each run of a month; return whether it could be worked out."""
    from sf_assets.operations.jobs import status_job  # noqa: PLC0415 - loads the assets, which the commands need not

    return _execute(defs.resolve_job_def(status_job.name), instance, QUIET)


def first_known(warehouse: Warehouse, month: date, parameters: Parameters) -> date:
    """Return the first month of which a batch tells who was followed, within the perimeter's window."""
    table, column = REACH[parameters.mode]
    oldest = warehouse.query(f"select min({column}) from lake.{table} where month = $month", {"month": month})
    return first_month(oldest.item(), month, parameters)
