"""Measurements that have a limit: imports beside a plain load, many debts, many explanations, growth with the rows."""

import gzip
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.queries import read_query
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.lists.reasons import main_reasons
from sf_assets.lists.scored import scored_companies
from sf_assets.model.store import ModelStore
from sf_assets.settings import Settings, warehouse_of
from sf_assets.sources.batch import batch_key, read_batch
from sf_assets.sources.registry import BY_NAME
from sf_assets.vocabulary.partitions import cutoff_of
from sf_assets_dev.bench.stages import Cost, Workspace, peak, reset_peak, run

# A large plain file, the largest gzipped file, and a file with one column per month. The number is how often lines are
# repeated to reach the size of the whole country: with small files, the start of a step would dominate.
COMPARED = {"debit": 4, "cotisation": 2, "effectif": 7}


def enlarge(workspace: Workspace) -> Workspace:
    """Write the compared files, enlarged to the size of the country, as a separate batch; return its workspace."""
    files = read_batch(workspace.folder / "incoming", workspace.month).files
    national = replace(workspace, folder=workspace.folder / "national")
    folder = national.folder / "incoming" / batch_key(workspace.month)
    folder.mkdir(parents=True)
    # The head-count file that determines the population.
    (path,) = files["effectif_ent"]
    shutil.copy2(path, folder)
    for source, times in COMPARED.items():
        (path,) = files[source]
        _repeat(path, folder / path.name, times)
    return national


def _repeat(path: Path, target: Path, times: int) -> None:
    """Copy a delimited file, plain or gzipped, with the lines after its header repeated `times` times."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(target, "wb") as output:
        for number in range(times):
            with opener(path, "rb") as lines:
                header = next(lines)
                if number == 0:
                    output.write(header)
                shutil.copyfileobj(lines, output)


def import_files(workspace: Workspace) -> dict[str, Cost]:
    """Import the compared files as a month does; return the costs of their staging tables, by source."""
    arrived = [f"src_{source}" for source in ("filter", "effectif_ent", "admin_urssaf", *COMPARED)]
    tables = {BY_NAME[source].table: source for source in COMPARED}
    made, _ = run(
        workspace, dg.AssetSelection.assets(*arrived, "stg_filter_import", "stg_filter", "stg_admin_urssaf", *tables)
    )
    return {tables[cost.name]: cost for cost in made if cost.name in tables}


def load_without_checks(workspace: Workspace, source: str, *, kept: bool) -> Cost:
    """Load the files of a source into a table of text columns with DuckDB alone: no import can be faster.

    The table is in memory or, when `kept`, in a database file, as the tables of an import are.
    """
    paths = read_batch(workspace.folder / "incoming", workspace.month).files[source]
    settings = Settings.from_environment()
    database = workspace.folder / "bare.duckdb"
    with duckdb.connect(database if kept else ":memory:", config={"threads": settings.threads}) as connection:
        connection.execute("set enable_progress_bar = false")
        reset_peak()
        started = time.monotonic()
        connection.execute(
            "create table bare as from read_csv($paths, delim = $delim, header = true, all_varchar = true)",
            {"paths": [str(path) for path in paths], "delim": BY_NAME[source].separator},
        )
        if kept:
            connection.execute("checkpoint")
        seconds = time.monotonic() - started
        ((rows,),) = connection.execute("select count(*) from bare").fetchall()
    database.unlink(missing_ok=True)
    return Cost(source, rows, seconds, peak())


@dataclass(frozen=True, slots=True)
class Import:
    """Costs of a source's import and of plain loads of its files, each the best of several turns."""

    imported: Cost
    in_memory: Cost
    kept: Cost


def compare(workspace: Workspace, turns: int = 2) -> dict[str, Import]:
    """Alternate imports and plain loads, so that a slow moment of the machine affects both; return the best of each."""
    results: dict[str, list[Import]] = {source: [] for source in COMPARED}
    for _ in range(turns):
        shutil.rmtree(workspace.folder / "warehouse", ignore_errors=True)
        for source, imported in workspace.in_new_process(import_files).items():
            bare, kept = (
                workspace.in_new_process(partial(load_without_checks, kept=kept), source) for kept in (False, True)
            )
            results[source].append(Import(imported, bare, kept))
    return {source: _best(turns) for source, turns in results.items()}


def _best(turns: Sequence[Import]) -> Import:
    names = ("imported", "in_memory", "kept")
    return Import(*(min((getattr(turn, name) for turn in turns), key=lambda cost: cost.seconds) for name in names))


def clean_many_debts(workspace: Workspace, rows: int = 4_000_000) -> Cost:
    """Compute `clean_debit` from `rows` staging rows: up to ten copies of the month's rows, under other identifiers."""
    query = read_query(files("sf_assets.clean"), "clean_debit")
    warehouse = warehouse_of(Settings.from_environment())
    with warehouse.session() as session:
        session.bind({TABLES[name]: workspace.month for name in query.reads})
        session.connection.execute(
            """
            create temp table many as
            select * replace (copies.n || substr(siret, 2) as siret, copies.n || debit_id as debit_id)
            from stg_debit, range(10) as copies (n)
            limit $rows
            """,
            {"rows": rows},
        )
        session.connection.execute("create or replace temp view stg_debit as from many")
        reset_peak()
        started = time.monotonic()
        session.connection.execute(f"create temp table clean_debit as {query.text}")
        seconds = time.monotonic() - started
        ((count,),) = session.connection.execute("select count(*) from stg_debit").fetchall()
    return Cost("clean_debit", count, seconds, peak())


def explain_alerts(workspace: Workspace, alerts: int = 25_000) -> list[Cost]:
    """Explain as many alerts as the whole country has, by each method of the month: contributions and three reasons.

    The riskiest companies of the month are used, repeated as needed.
    """
    settings = Settings.from_environment()
    warehouse = warehouse_of(settings)
    reads = ("feat_company_month", "feat_matrix", "model_scores", "model_fitted", "clean_filter")
    with warehouse.session() as session:
        session.bind({TABLES[name]: workspace.month for name in reads})
        companies = scored_companies(session, workspace.month).sort("probabilite", "siren", descending=True)
        known = session.connection.execute("select methode, version from model_fitted where supported").fetchall()
    copies = math.ceil(alerts / companies.height)
    rows = pl.concat([companies] * copies).head(alerts)
    costs = []
    for name, version in sorted(known):
        method, _ = ModelStore(Shelf(settings.data_dir / "models")).load(workspace.month, name, version)
        reset_peak()
        started = time.monotonic()
        contributions = method.contributions(rows)
        main_reasons(rows, contributions, method.features_, cutoff=cutoff_of(workspace.month), typical=method.typical_)
        costs.append(Cost(f"explaining, {name}", rows.height, time.monotonic() - started, peak()))
    return costs


def growth(title: str, small: Sequence[Cost], large: Sequence[Cost]) -> Iterator[str]:
    """Yield a table of the growth of processor seconds with rows: an exponent of 1 is proportional, less is better."""
    before = {cost.name: cost for cost in small}
    yield from (f"\n## {title}\n", "| table | rows | seconds of cores | exponent |", "|---|--:|--:|--:|")
    for after in sorted(large, key=lambda cost: -cost.processor):
        first = before.get(after.name)
        if first and after.rows > first.rows > 0 < first.processor:
            exponent = math.log(after.processor / first.processor) / math.log(after.rows / first.rows)
            yield (
                f"| {after.name} | {first.rows:,} → {after.rows:,} | {first.processor:.1f} → {after.processor:.1f} "
                f"| {exponent:.2f} |"
            )


def estimate_for_country(features: Cost, companies: int, country: int = 350_000) -> str:
    """Return a sentence that extrapolates the history of features to the whole country, in proportion to the companies."""
    minutes = features.seconds * country / companies / 60
    return (
        f"\n{country:,} companies: {minutes:.1f} min for the history of features in proportion to {companies:,} companies; the "
        "exponent above says whether that is an overestimate."
    )
