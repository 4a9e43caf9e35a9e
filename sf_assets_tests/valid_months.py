"""Months written to a warehouse without Dagster: files, staging and clean tables, and the verdicts on them."""

import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import plain
import polars as pl

from sf_assets.catalogue.tables import SUITES
from sf_assets.clean.tables import TABLES as CLEAN
from sf_assets.engine.quality.freshness import last_writes
from sf_assets.engine.quality.measuring import histories_of
from sf_assets.engine.quality.outcomes import outcomes_of
from sf_assets.engine.quality.tables import CHECK_VERDICTS
from sf_assets.engine.quality.verdicts import Verdict, check_months, frame_of_verdicts
from sf_assets.engine.storage import Session, frame_of
from sf_assets.sources.arrival import ARRIVALS, inspect
from sf_assets.sources.batch import batch_key
from sf_assets.sources.corrections import edition_of
from sf_assets.sources.registry import SOURCES
from sf_assets.staging.tables import FILTER_IMPORT, IMPORTS, STAGING
from sf_assets.vocabulary.schema import Table
from sf_assets_dev.synthetic import write_batch

_COPIED = 500_000
JUDGED_AT = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = (ARRIVALS, IMPORTS, FILTER_IMPORT, *STAGING.values(), *CLEAN)
ASSETS = [f"src_{source.name}" for source in SOURCES] + [
    table.name for table in (FILTER_IMPORT, *STAGING.values(), *CLEAN)
]


def load(session: Session, incoming: Path, months: Sequence[date], **world: int) -> None:
    """Write the batches of some months, read them and store their tables."""
    frames_of: dict[Table, list[pl.DataFrame]] = {table: [] for table in TABLES}
    for month in months:
        write_batch(incoming / batch_key(month), month=month, **world)
        for table, frame in _month(incoming, month).items():
            frames_of[table].append(frame.with_columns(month=pl.lit(month)))
    session.replace(
        {table: pl.concat(frames) for table, frames in frames_of.items()},
        where={"month": list(months)},
        author="test",
        message="valid months",
    )


def _month(incoming: Path, month: date) -> dict[Table, pl.DataFrame]:
    batch = plain.read_batch(incoming, month)
    arrived = [
        dataclasses.asdict(inspect(path, edition_of(source, path)))
        for source in SOURCES
        for path in batch.files.get(source.name, ())
    ]
    with plain.connect() as connection:
        counts = plain.stage(connection, incoming, month)
        plain.clean(connection, month)
        counted = {(row["source"], row["file"]): row["records"] for row in arrived}
        imported = [
            {"source": name, "records": counted[name, count.file]} | dataclasses.asdict(count)
            for name, of_source in counts.items()
            for count in of_source
        ]
        return {
            ARRIVALS: frame_of(ARRIVALS, arrived),
            IMPORTS: frame_of(IMPORTS, imported),
            **{
                table: connection.execute(f"select {', '.join(table.column_names)} from {table.name}").pl()
                for table in (FILTER_IMPORT, *STAGING.values(), *CLEAN)
            },
        }


def judge(session: Session, months: Sequence[date], assets: Sequence[str] = ASSETS) -> list[Verdict]:
    """Run every check of some assets, months in order, so that each is compared with the months before; return verdicts."""
    rules = {asset: check_months(session, dataclasses.replace(SUITES[asset], probes=()), months) for asset in assets}
    written = last_writes(session, SUITES, [(asset, month) for asset in assets for month in months])
    returned = []
    with ExitStack() as kept:
        # A query of the lake asks its catalog for the files of a table, which takes longer than the query itself.
        for table in {suite.table for asset in assets if (suite := SUITES[asset]).table}:
            kept.enter_context(session.copied(table.name, months, most=_COPIED))
        for month in months:
            verdicts = [verdict for asset in assets for verdict in rules[asset][month]]
            for asset in assets:
                suite = dataclasses.replace(SUITES[asset], rules=())
                histories = histories_of(session, asset, suite.tolerances, [month])
                found = outcomes_of(session, suite, [month], with_rows=[month], histories=histories)[month]
                verdicts += [
                    Verdict(asset, month, probe, found[probe.name], written.get((asset, month)))
                    for probe in suite.probes
                ]
            session.replace(
                {CHECK_VERDICTS: frame_of_verdicts({month: verdicts}, run_id="test", judged_at=JUDGED_AT)},
                where={"month": month, "asset": list(assets)},
                author="test",
                message="verdicts",
            )
            returned += verdicts
    return returned
