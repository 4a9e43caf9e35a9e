"""The jobs of a month, the schedule that starts them, and the sensor that waits for a complete batch.

A run is one process: the engine already uses both cores, and a process per step would start Dagster and Great Expectations
about a hundred times a month.
"""

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from sf_assets.catalogue.tables import MONITORING
from sf_assets.engine.resources import FoldersResource, WarehouseResource
from sf_assets.engine.storage import Warehouse
from sf_assets.lists.tables import EXPORT
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.sources.batch import BadBatch, Batch, NoBatch, batch_key, is_key, missing_files, month_of, read_batch
from sf_assets.sources.content import file_states, is_loaded, reading_order
from sf_assets.vocabulary.modes import Mode
from sf_assets.vocabulary.partitions import PARIS, add_months, months, parse_month

# Features run over ranges of months, other layers month by month; Dagster warns that a backfill of a job uses the latter.
warnings.filterwarnings("ignore", message="(?s).*varying BackfillPolicies.*")

# A tag of every run, by which the page of runs can be filtered: of a month, or beside the months.
RUN_KIND = "sf_assets/kind"
_OF_A_MONTH = {RUN_KIND: "month"}

batch_job = dg.define_asset_job(
    "batch",
    tags=_OF_A_MONTH,
    selection=dg.AssetSelection.groups("sources", "staging", "clean"),
    description="A month's files, from arrival to clean tables.",
)

history_job = dg.define_asset_job(
    "history",
    tags=_OF_A_MONTH,
    selection=dg.AssetSelection.groups("features"),
    description="Features of a range of months in one run: launch it over the past before the first model, and "
    "after a change of a feature.",
)

wide_job = dg.define_asset_job(
    "wide",
    tags=_OF_A_MONTH,
    selection=dg.AssetSelection.groups("features_wide"),
    description="The features that the configuration of 100 features adds to the matrix, for a range of months, on demand: no "
    "model in use reads them. Launch it after `history`.",
)

# The backtest takes minutes and runs once a year.
_MONITORING = dg.AssetSelection.assets(*MONITORING)

score_job = dg.define_asset_job(
    "score",
    tags=_OF_A_MONTH,
    selection=dg.AssetSelection.groups("features", "model", "lists") | _MONITORING,
    description="A month's features, models, scores and lists, from the clean tables of its batch.",
)

monthly_job = dg.define_asset_job(
    "monthly",
    tags=_OF_A_MONTH,
    selection=dg.AssetSelection.groups("sources", "staging", "clean", "features", "model", "lists") | _MONITORING,
    description="A month from its files to its list. A failed blocking check stops the assets that follow, for this month only.",
)

evaluate_job = dg.define_asset_job(
    "evaluate",
    tags=_OF_A_MONTH,
    selection=dg.AssetSelection.groups("evaluation"),
    description="Backtest of the methods at past origins, choice of the champion, utility of each source: launch it once a "
    "year, and after a change of features or methods, on a month that has its list.",
)

# Tags of each run that the sensor or the schedule starts: digests of the state of the month's files, and of their order.
LOOK, ORDER = "sf_assets/look", "sf_assets/order"
_PARTITION = "dagster/partition"
_RUNS = 100  # latest runs of a month that are compared
_LABEL = 16  # characters of a digest


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files of a month, and the runs that already used them.

    `settled` is the reason why no run is needed, None when one is needed. `waits_for` is a run launched by hand that has not
    ended: only its end shows which files it read. `times` counts the runs that were started for files in the same state.
    """

    key: str
    tags: Mapping[str, str]
    settled: str | None
    waits_for: str | None
    times: int

    def request(self) -> dg.RunRequest:
        """Return the request of a run; its key is new each time that earlier files come back after other files."""
        again = f" {self.times + 1}" if self.times else ""
        return dg.RunRequest(
            run_key=f"{self.key} {self.tags[LOOK]}{again}", partition_key=self.key, tags=dict(self.tags)
        )


def delivery_of(instance: dg.DagsterInstance, warehouse: Warehouse, batch: Batch) -> Delivery:
    """Compare the files of a batch with the runs of its month, and with the files that its tables were last loaded from."""
    key = batch.month.isoformat()
    tags = {LOOK: _digest(file_states(batch)), ORDER: _digest(reading_order(batch))}
    runs = instance.get_runs(dg.RunsFilter(job_name=monthly_job.name, tags={_PARTITION: key}), limit=_RUNS)
    same = [run for run in runs if run.tags.get(LOOK) == tags[LOOK]]
    by_hand = next((run.run_id for run in runs if LOOK not in run.tags and not run.is_finished), None)
    settled: str | None = None
    if same and not same[0].is_finished:
        settled = f"run {same[0].run_id} of these files has not ended"
    elif by_hand is None:
        settled = _settled(instance, warehouse, batch, tags[ORDER])
    return Delivery(key, tags, settled, by_hand, len(same))


def _settled(instance: dg.DagsterInstance, warehouse: Warehouse, batch: Batch, order: str) -> str | None:
    """Return why a batch needs no run, None when it does: a run of its whole month loaded these files, or its list exists.

    A cancelled run settles nothing: its process may have been killed before the end of the month.
    """
    with warehouse.session() as session:
        if not is_loaded(session, batch):
            return None
        query = "select max(snapshot_id) from lake.{} where month = $month"
        loaded, listed = (
            session.connection.execute(query.format(table), {"month": batch.month}).fetchall()[0][0]
            if batch.month in session.months(table)
            else 0
            for table in (ARRIVALS.name, EXPORT.name)
        )
        author = session.connection.execute(_AUTHOR, {"snapshot": loaded}).fetchone()
    run = instance.get_run_by_id(author[0]) if author and author[0] else None
    if run and run.status is dg.DagsterRunStatus.CANCELED:
        return None
    if run and run.job_name == monthly_job.name and run.tags.get(ORDER, order) == order:
        return f"run {run.run_id} used these files; launch `{monthly_job.name}` to run them again"
    if listed > loaded and not (run and ORDER in run.tags):
        return f"its list used these files; launch `{monthly_job.name}` to run them again"
    return None


_AUTHOR = "select author from lake.snapshots() where snapshot_id = $snapshot"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LABEL]


# Deliveries are complete in the first days of the next month; starting on the third allows for a week-end.
@dg.schedule(
    job=monthly_job,
    cron_schedule="30 6 3 * *",
    execution_timezone=PARIS.key,
    description="Starts the month before, whichever of its files were delivered, unless a run already used these files.",
)
def monthly_schedule(
    context: dg.ScheduleEvaluationContext, folders: FoldersResource, warehouse: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Request the month before; a run without some files fails on the checks that name them."""
    month = add_months(context.scheduled_execution_time.astimezone(PARIS).date(), -1)
    key = month.isoformat()
    try:
        batch = read_batch(folders.incoming.of(month), month, folders.mode)
    except BadBatch:
        return dg.RunRequest(run_key=key, partition_key=key)
    delivery = delivery_of(context.instance, warehouse, batch)
    if reason := delivery.settled or (delivery.waits_for and f"run {delivery.waits_for} of the month has not ended"):
        return dg.SkipReason(f"batch {batch_key(month)}: {reason}")
    return delivery.request()


@dg.sensor(job=monthly_job, minimum_interval_seconds=600, description="Starts a month once its files are all there.")
def files_arrived(
    context: dg.SensorEvaluationContext, folders: FoldersResource, warehouse: WarehouseResource
) -> dg.SensorResult:
    """Request each month whose expected files are all delivered and unchanged since the last evaluation, oldest first.

    A file that is still being copied must not start its month: the batch must be in the same state at two evaluations in a
    row. A new delivery starts any month again; files whose content a run already used do not. At the very first evaluation
    only the newest complete month may start: operators launch the past themselves.
    """
    # The names and dates of files tell whether a month is complete; only those of a month that may start are read.
    delivered = folders.incoming.names()
    if unknown := _unknown_names(delivered):
        context.log.warning(f"names in {folders.incoming.root} that are no month AAMM: {', '.join(unknown)}")
    # The last state of each month's files, and whether it needs no request: requested before, or older than the sensor.
    looks: dict[str, tuple[str, bool]] = json.loads(context.cursor or "{}")
    requests: list[dg.RunRequest] = []
    notes: list[str] = []
    keys = months.get_partition_keys()
    batches = list(_batches(delivered, folders.mode, keys, notes))
    newest = batches[-1].month if batches else None
    for batch in batches:
        key, name = batch.month.isoformat(), f"batch {batch_key(batch.month)}"
        if missing := missing_files(batch):
            notes.append(f"{name} waits for {', '.join(missing)}")
            looks[key] = "", False
            continue
        seen = file_states(batch)
        of_the_past = context.cursor is None and batch.month != newest
        known, settled = looks.get(key, (seen, True) if of_the_past else ("", False))
        if seen != known:
            notes.append(f"{name} is complete; it starts if nothing changes until the next evaluation")
        elif not settled:
            whole = read_batch(folders.incoming.of(batch.month), batch.month, folders.mode)
            delivery = delivery_of(context.instance, warehouse, whole)
            if delivery.settled:
                notes.append(f"{name}: {delivery.settled}")
            elif delivery.waits_for:
                notes.append(f"{name} waits for the end of run {delivery.waits_for}")
                continue
            else:
                requests.append(delivery.request())
        looks[key] = seen, seen == known
    reason = "; ".join(notes) or f"no new batch below {folders.incoming.root}"
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else reason, cursor=json.dumps(looks))


def _batches(incoming: Path, mode: Mode, keys: Sequence[str], notes: list[str]) -> Iterator[Batch]:
    """Yield the batches of months that have ended, oldest first; add a note for a batch that cannot be read or is too early."""
    for key in keys:
        try:
            yield read_batch(incoming, parse_month(key), mode)
        except NoBatch:
            continue
        except BadBatch as error:
            notes.append(str(error))
    delivered = {path.name.removesuffix(".json") for path in incoming.iterdir()} if incoming.is_dir() else set()
    for name in sorted(filter(is_key, delivered)):
        if (month := month_of(name)).isoformat() not in keys:
            early = month > parse_month(keys[-1])
            notes.append(f"batch {name}: {month:%Y-%m} {'has not ended' if early else f'is before {keys[0][:7]}'}")


def _unknown_names(incoming: Path) -> list[str]:
    """Return the folders and descriptions whose names are no batch key: a misspelt month would never start."""
    paths = sorted(incoming.iterdir()) if incoming.is_dir() else []
    batches = [path for path in paths if path.is_dir() or path.suffix == ".json"]
    return [
        path.name for path in batches if not is_key(path.name.removesuffix(".json")) and not path.name.startswith(".")
    ]


JOBS = (monthly_job, batch_job, history_job, wide_job, score_job, evaluate_job)
