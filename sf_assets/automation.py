"""When things run: the jobs, the monthly schedule and the sensor that waits for a complete batch.

One process serves a whole run: the engine already uses both cores, and a process per step would pay the start of
Dagster and Great Expectations some hundred times a month.
"""

import json
import warnings
from pathlib import Path

import dagster as dg

from sf_assets.partitions import months, parse_month
from sf_assets.resources import Folders
from sf_assets.sources.batch import BadBatch, Batch, NoBatch, batch_key, is_key, missing_files, read_batch

# Features run over ranges of months, the other layers month by month: a backfill of a whole job takes the latter.
warnings.filterwarnings("ignore", message="(?s).*varying BackfillPolicies.*")

batch_job = dg.define_asset_job(
    "batch",
    selection=dg.AssetSelection.groups("sources", "staging", "clean"),
    description="A month's files, from arrival to clean tables.",
)

history_job = dg.define_asset_job(
    "history",
    selection=dg.AssetSelection.groups("features"),
    description="Features of any range of months in one run, computed in sets: launch it over the past before the "
    "first model, and after a change of a feature.",
)

wide_job = dg.define_asset_job(
    "wide",
    selection=dg.AssetSelection.groups("features_wide"),
    description="What the configuration of 100 features adds to the matrix, for any range of months, on demand: no model "
    "in use reads it. Launch it after `history`.",
)

# What lists become is looked at every month; what methods are worth takes minutes to say, and once a year is enough.
_FOLLOWED = dg.AssetSelection.assets("eval_drift", "eval_verification")

score_job = dg.define_asset_job(
    "score",
    selection=dg.AssetSelection.groups("features", "model", "lists") | _FOLLOWED,
    description="A month's features, models, scores and lists, from the clean tables of its batch.",
)

monthly_job = dg.define_asset_job(
    "monthly",
    selection=dg.AssetSelection.groups("sources", "staging", "clean", "features", "model", "lists") | _FOLLOWED,
    description="A month from its files to its list. Every gate that fails stops what follows, for this month only.",
)

evaluate_job = dg.define_asset_job(
    "evaluate",
    selection=dg.AssetSelection.groups("evaluation"),
    description="What the methods were worth at past origins, who is the champion, what each source adds: launch it once a "
    "year, and after a change of features or methods, on a month that has its list.",
)

# Deliveries are complete in the first days of the next month; the third leaves producers a week-end.
monthly_schedule = dg.build_schedule_from_partitioned_job(
    monthly_job, name="monthly_schedule", day_of_month=3, hour_of_day=6, minute_of_hour=30
)


def fingerprint(batch: Batch) -> str:
    """Return a text that changes when a file of the batch does: names, order, sizes and days of change."""
    return ";".join(
        f"{batch.name_of(path)}:{_stat(path)}" for _, paths in sorted(batch.files.items()) for path in paths
    )


def _stat(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}"


@dg.sensor(job=monthly_job, minimum_interval_seconds=600, description="Starts a month once its files are all there.")
def files_arrived(context: dg.SensorEvaluationContext, folders: Folders) -> dg.SensorResult:
    """Request each month whose expected files are all there and have not changed since the last look.

    A file that still grows must not start the month: the batch has to look the same at two evaluations in a row. A new
    delivery starts its month again, whichever it is. Complete months that were there before the first look start
    nothing, but the newest: the past is the operator's to launch.
    """
    if strangers := _strangers(folders.incoming_path):
        context.log.warning(f"names in {folders.incoming_path} that are no month AAMM: {', '.join(strangers)}")
    # What each month looked like, and whether that look is settled: requested, or found when the sensor began.
    looks: dict[str, tuple[str, bool]] = json.loads(context.cursor or "{}")
    requests, told = [], []
    newest = True
    for key in reversed(months.get_partition_keys()):
        month = parse_month(key)
        name = f"batch {batch_key(month)}"
        try:
            batch = read_batch(folders.incoming_path, month)
            missing = missing_files(batch)
        except NoBatch:
            continue
        except BadBatch as error:
            told.append(str(error))
            continue
        seen = "" if missing else fingerprint(batch)
        known, settled = looks.get(key, (seen, not newest) if seen and not newest else ("", False))
        newest = False
        if missing:
            told.append(f"{name} waits for {', '.join(missing)}")
        elif seen != known:
            told.append(f"{name} is complete; it starts if nothing changes until the next look")
        elif not settled:
            requests.append(dg.RunRequest(run_key=f"{key} {seen}", partition_key=key))
        looks[key] = seen, seen == known and bool(seen)
    reason = "; ".join(told) or f"no new batch below {folders.incoming_path}"
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else reason, cursor=json.dumps(looks))


def _strangers(incoming: Path) -> list[str]:
    """Return the folders and descriptions whose names are no batch key: a misspelt month would wait for ever."""
    found = sorted(incoming.iterdir()) if incoming.is_dir() else []
    batches = [path for path in found if path.is_dir() or path.suffix == ".json"]
    return [
        path.name for path in batches if not is_key(path.name.removesuffix(".json")) and not path.name.startswith(".")
    ]


JOBS = (monthly_job, batch_job, history_job, wide_job, score_job, evaluate_job)
