"""`make demo`: writes synthetic files, runs the whole graph for their month, prints a summary."""

import hashlib
import json
import os
import sys
import time
from datetime import date
from pathlib import Path

import dagster as dg

from sf_assets.commands import home
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.operations.launching import first_known, run_job
from sf_assets.operations.progress import Terminal, step_line
from sf_assets.settings import PREFIX, Settings, warehouse_of
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.modes import OPEN
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.synthetic import write_batch
from sf_assets_dev.synthetic.access import ACCESS, write_access


def use_open_data() -> None:
    """Run in the mode of open data: the settings of this process, which the definitions read, and of those that it starts."""
    os.environ[f"{PREFIX}MODE"] = OPEN


def run(month: date, *, companies: int, seed: int) -> bool:
    """Run the demonstration for a month that has ended, in the mode of the settings; return whether a list was published."""
    settings = Settings.from_environment()
    started = time.monotonic()
    _write_world(settings, month, companies=companies, seed=seed)
    state = _state(settings, month)
    ledger = settings.data / "warehouse" / f"demo_{batch_key(month)}"
    if ledger.is_file() and ledger.read_text() == state:
        _print(f"{batch_key(month)} is complete: same files, same code, nothing to do")
        done = True
    else:
        done = _run_graph(settings, month)
        if done:
            ledger.write_text(state)
    # Imported late: the first lines are printed before the engines are loaded.
    from sf_assets_dev.answers import answer_and_read_back  # noqa: PLC0415
    from sf_assets_dev.summary import summary  # noqa: PLC0415

    for line in (*summary(settings, month), *answer_and_read_back(settings, month)):
        _print(line)
    _print(f"\n{time.monotonic() - started:.0f} s. The graph, its checks and this month's partition: make ui")
    return done


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _write_world(settings: Settings, month: date, *, companies: int, seed: int) -> None:
    """Write the month's files, unless files of the same recipe exist."""
    folder = settings.data / "incoming" / batch_key(month)
    oracle = settings.data / "oracle" / f"{batch_key(month)}.parquet"
    recipe = oracle.with_suffix(".json")
    wanted = json.dumps({"companies": companies, "seed": seed, "mode": settings.mode})
    if folder.is_dir() and recipe.is_file() and recipe.read_text() == wanted:
        return
    if folder.is_dir() and any(folder.iterdir()) and not recipe.is_file():
        raise SystemExit(
            f"{folder}: expected a folder without files, or files of the demonstration; found other files. Move them away"
        )
    started = time.monotonic()
    make_private_folder(oracle.parent)
    step = f"synthetic France, {companies} companies"
    with Terminal() as terminal:
        terminal.start(step)
        rows = write_batch(folder, month=month, companies=companies, seed=seed, oracle=oracle, mode=settings.mode)
        rows[ACCESS] = write_access(folder / ACCESS, month)
        terminal.end(step_line(step, sum(rows.values()), time.monotonic() - started))
    recipe.write_text(wanted)
    # Files that `make clean` removes without asking, unless they changed: written in the format of sha256sum.
    made = (
        f"{sha256_of(path)}  {path.relative_to(settings.data)}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    oracle.with_suffix(".sha256").write_text("".join(made))


def _state(settings: Settings, month: date) -> str:
    """Return a digest of everything that the result depends on: files, code, settings."""
    whole = hashlib.sha256(settings.model_dump_json().encode())
    here = Path(__file__).parent
    code = [path for package in (here, here.parent / "sf_assets") for path in package.rglob("*")]
    batch = settings.data / "incoming" / batch_key(month)
    for path in sorted([*(path for path in code if path.suffix in {".py", ".sql", ".csv"}), *batch.rglob("*")]):
        if not path.is_file():
            continue
        whole.update(f"{path.name} {sha256_of(path)}".encode())
    return whole.hexdigest()


def _run_graph(settings: Settings, month: date) -> bool:
    """Run the jobs `batch`, `history` (the months that models learn from), `score`, `publish`; return whether all succeeded."""
    from sf_assets.definitions import defs  # noqa: PLC0415 - loads every layer, which a finished month does not need

    with home.instance() as instance:
        if not run_job(defs, instance, "batch", first=month):
            return False
        first = first_known(warehouse_of(settings), month, settings.parameters)
        if first < month and not run_job(defs, instance, "history", first=first, last=add_months(month, -1)):
            return False
        return run_job(defs, instance, "score", first=month) and publish(settings, defs, instance, month)


def publish(settings: Settings, defs: dg.Definitions, instance: dg.DagsterInstance, month: date) -> bool:
    """Publish the month's list, unless the files handed over last are published; return whether they are."""
    from sf_assets.publication.versions import published_versions  # noqa: PLC0415

    query = "select max(version) from lake.list_export where month = $month"
    with warehouse_of(settings).session() as session:
        (handed_over,) = session.connection.execute(query, {"month": month}).fetchall()[0]
        if handed_over in {published.export_version for published in published_versions(session, month)}:
            return True
    config = {"ops": {"list_publication": {"config": {"by": "démonstration", "reason": "liste de démonstration"}}}}
    return run_job(defs, instance, "publish", first=month, config=config)
