"""`make demo`: synthetic companies, the whole graph for their latest month, and what came out of it."""

import argparse
import hashlib
import json
import sys
import time
from datetime import date
from pathlib import Path

from sf_assets.commands import home
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.folders import private
from sf_assets.operations.progress import ended_month, line, run_job, say
from sf_assets.operations.steps import first_known
from sf_assets.settings import Settings, resources_for
from sf_assets.sources.batch import batch_key
from sf_assets.sources.content import checksum
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.synthetic import write_batch


def main() -> int:
    """Run the demonstration; return 0 when a list was published."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--month", type=ended_month, default="2026-10", help="month of the batch, AAAA-MM")
    parser.add_argument("--companies", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    month = arguments.month
    settings = Settings.from_environment()
    started = time.monotonic()
    _write_world(settings, month, companies=arguments.companies, seed=arguments.seed)
    state = _state(settings, month)
    ledger = settings.data_dir / "warehouse" / f"demo_{batch_key(month)}"
    if ledger.is_file() and ledger.read_text() == state:
        say(f"{batch_key(month)} is complete: same files, same code, nothing to do")
        done = True
    else:
        done = _run_graph(settings, month)
        if done:
            ledger.write_text(state)
    # Imported late: the summary needs no more than the first lines of this page to start speaking.
    from sf_assets_dev.summary import summary  # noqa: PLC0415

    for told in summary(settings, month):
        say(told)
    say(f"\n{time.monotonic() - started:.0f} s. The graph, its checks and this month's partition: make ui")
    return 0 if done else 1


def _write_world(settings: Settings, month: date, *, companies: int, seed: int) -> None:
    """Write the month's files unless the same ones are there."""
    folder = settings.data_dir / "incoming" / batch_key(month)
    oracle = settings.data_dir / "oracle" / f"{batch_key(month)}.parquet"
    recipe = oracle.with_suffix(".json")
    wanted = json.dumps({"companies": companies, "seed": seed})
    if folder.is_dir() and recipe.is_file() and recipe.read_text() == wanted:
        return
    if folder.is_dir() and any(folder.iterdir()) and not recipe.is_file():
        raise SystemExit(f"{folder} holds files that the demonstration did not write: it leaves them alone")
    started = time.monotonic()
    private(oracle.parent)
    rows = write_batch(folder, month=month, companies=companies, seed=seed, oracle=oracle)
    recipe.write_text(wanted)
    # What `make clean` may remove without asking: these files, as they are, in the words of sha256sum.
    made = (
        f"{checksum(path)}  {path.relative_to(settings.data_dir)}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    oracle.with_suffix(".sha256").write_text("".join(made))
    say(line(f"synthetic France, {companies} companies", sum(rows.values()), time.monotonic() - started))


def _state(settings: Settings, month: date) -> str:
    """Return a digest of all that the result depends on: the files, the code, the settings."""
    whole = hashlib.sha256(settings.model_dump_json().encode())
    code = Path(__file__).parent
    batch = settings.data_dir / "incoming" / batch_key(month)
    for path in sorted([*code.rglob("*.py"), *code.rglob("*.sql"), *code.rglob("*.csv"), *batch.rglob("*")]):
        if not path.is_file():
            continue
        whole.update(f"{path.name} ".encode())
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def _run_graph(settings: Settings, month: date) -> bool:
    """Run the batch, the history its models learn from, then the scores and the list, as the jobs of the UI do."""
    from sf_assets.definitions import defs  # noqa: PLC0415 - loads every layer, which a finished month does not need

    with home.instance() as instance:
        if not run_job(defs, instance, "batch", partition_key=month.isoformat()):
            return False
        warehouse: Warehouse = resources_for(settings)["warehouse"]  # type: ignore[assignment]
        first = first_known(warehouse, month, settings.perimeter_months)
        if first < month:
            span = {"start": first.isoformat(), "end": add_months(month, -1).isoformat()}
            tags = {f"dagster/asset_partition_range_{end}": key for end, key in span.items()}
            if not run_job(defs, instance, "history", tags=tags):
                return False
        return run_job(defs, instance, "score", partition_key=month.isoformat())


if __name__ == "__main__":
    sys.exit(main())
