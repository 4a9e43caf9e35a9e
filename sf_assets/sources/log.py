"""The log of imports: the last outcome of each delivered file (rules §8.1).

A refused file has its row as soon as it is inspected; the figures of a valid file are written when it is read. Rows hold no
time: the snapshot that wrote them gives the time and the run.
"""

from sf_assets.engine.sql import read_sql
from sf_assets.vocabulary.schema import Column, Table, no_rows

LOG = Table(
    name="import_log",
    grain="one delivered file and its last outcome",
    columns=(
        Column("source", "VARCHAR", "source the file belongs to"),
        Column("file", "VARCHAR", "name of the file"),
        Column("is_fatal", "BOOLEAN", "the file is refused: nothing of it was loaded"),
        Column("head_fatal", "VARCHAR", "why the file is refused, NULL when it is not"),
        Column(
            "head_rejected",
            "VARCHAR",
            "the faults of the first wrong records, at most 200 lines of text",
        ),
        Column(
            "lines_parsed",
            "BIGINT",
            "records the file holds, as counted on arrival; NULL until it is read",
            unit="record",
        ),
        Column("lines_rejected", "BIGINT", "records quarantined", unit="record"),
        Column("lines_skipped", "BIGINT", "records filtered", unit="record"),
        Column("lines_valid", "BIGINT", "records accepted", unit="record"),
        Column("summary", "VARCHAR", "the figures of the row in one French sentence"),
    ),
    key=("source", "file"),
    rules=(
        no_rows(
            "nothing_lost",
            "select source, file from {batch} "
            "where lines_parsed is distinct from lines_rejected + lines_skipped + lines_valid",
            "Every record counted on arrival ends in one place. This is a bug of the reader: keep the file and report it.",
        ),
    ),
    may_be_empty=True,
)

# The rows of the log on arrival, from the view `arrived`: new rows of `src_arrivals`.
ARRIVED = read_sql("sf_assets.sources", "arrived")
