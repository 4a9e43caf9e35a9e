"""Simulated officers: they answer about the companies of their folders, and their files are read back as the next batch would be.

The month after that of a demonstration has not always ended, so that its batch cannot run: the same readers and queries work on
the files in memory.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zlib import crc32

import duckdb
import numpy as np
import polars as pl

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.evaluation.answers import answer_figures
from sf_assets.evaluation.help_report import help_lines
from sf_assets.evaluation.tables import EFFECT
from sf_assets.lists.page.render import ANSWERED
from sf_assets.lists.tables import ALERTS
from sf_assets.model.tables import TARGET
from sf_assets.publication.sharing import FOLDER
from sf_assets.publication.tables import PUBLICATION
from sf_assets.settings import Settings, warehouse_of
from sf_assets.sources.batch import batch_key
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.retour import CONTACTED, CONTACTED_ON, LIST, OFFERED, RECIPIENT, RETOUR, USEFULNESS, UTILITIES
from sf_assets.staging.reading import READERS, read_source
from sf_assets.staging.tables import query_of
from sf_assets.vocabulary.partitions import add_months

_SHARE = 0.6
_ODDS = (0.5, 0.3, 0.15, 0.05)


def answer_and_read_back(settings: Settings, month: date) -> Iterator[str]:
    """Answer the newest published list of a month and yield what was read back, and the figures, line by line."""
    versions = sorted((settings.data / "published" / batch_key(month)).glob("v*"), key=lambda path: int(path.name[1:]))
    if not versions:
        return
    folder = make_private_folder(settings.data / "answers" / batch_key(month))
    with warehouse_of(settings).session() as session:
        session.bind({PUBLICATION: month})
        published = session.connection.execute(f"select min(published_at)::date from {PUBLICATION.name}").fetchall()
        files = [
            write_answers(path, folder, month, published=published[0][0])
            for path in sorted((versions[-1] / FOLDER).iterdir())
        ]
        yield from _figures(session, files, add_months(month, 1))


def write_answers(recipient: Path, into: Path, month: date, *, published: date) -> Path:
    """Write the file of answers that the page of a recipient would export, each contact 2 to 22 days after the publication.

    Each recipient has a random stream of its own.
    """
    key = batch_key(month)
    listed = pl.read_csv(recipient / f"liste_{key}.csv", separator=";", infer_schema=False)
    sirens = listed["SIREN"].str.strip_prefix('="').str.strip_suffix('"')
    rng = np.random.default_rng([crc32(recipient.name.encode()), crc32(key.encode())])
    answered = rng.random(len(sirens)) < _SHARE
    contacted = rng.random(len(sirens)) < 0.7  # noqa: PLR2004 - most answers come after a call
    days = rng.integers(2, 23, len(sirens))
    texts = {
        "SIREN": sirens,
        LIST: [key] * len(sirens),
        RECIPIENT: [recipient.name] * len(sirens),
        CONTACTED: ["Oui" if one else "Non" for one in contacted],
        CONTACTED_ON: [
            f"{published + timedelta(days=int(day)):%d/%m/%Y}" if one else ""
            for one, day in zip(contacted, days, strict=True)
        ],
        USEFULNESS: [UTILITIES[one] for one in rng.choice(len(UTILITIES), len(sirens), p=_ODDS)],
        OFFERED: ["délai de paiement" if one else "" for one in rng.random(len(sirens)) < 0.2],  # noqa: PLR2004 - some help
    }
    path = into / f"retour_{recipient.name}_{key}.csv"
    rows = pl.DataFrame(texts).filter(answered).with_columns(pl.lit("").alias(ANSWERED[-1]))
    rows.select(ANSWERED).write_csv(path, separator=";", include_bom=True, line_terminator="\r\n")
    return path


def _figures(session: Session, files: list[Path], received: date) -> Iterator[str]:
    session.bind({ALERTS: None, PUBLICATION: None})
    lists = {name: session.connection.execute(f"from {name}").pl() for name in (ALERTS.name, PUBLICATION.name)}
    with duckdb.connect() as scratch:
        for name, rows in lists.items():
            scratch.register(name, rows.to_arrow())
        label_tables.load(scratch)
        scratch.execute(READERS)
        published = read_sql("sf_assets.staging", "published_companies")
        scratch.execute(f"create temp table published as {published}", {"month": received})
        counts = read_source(scratch, RETOUR, files)
        scratch.execute(
            f"create temp table stg_retour as select $1::date as month, * from ({query_of(RETOUR)})", [received]
        )
        scratch.execute(f"create temp table list_answers as {read_sql('sf_assets.lists', 'list_answers')}")
        columns = ", ".join(f"{column.name} {column.type}" for column in TARGET.columns)
        scratch.execute(f"create temp table {TARGET.name} ({columns})")
        companies = scratch.execute(read_sql("sf_assets.evaluation", "answered_companies")).pl()
    yield "\nanswers of simulated officers, read back:"
    for count in counts:
        yield f"  {count.file}: {count.accepted} answers, {count.quarantined} refused"
    schema = dict.fromkeys(EFFECT.column_names, pl.Null)
    yield from (f"  {line}" for line in help_lines(answer_figures(companies), pl.DataFrame(schema=schema)))
