"""How the delivered files of a source are read together: mended records stand in the place of those refused."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from sf_assets.failures import BadFile
from sf_assets.sources import Source
from sf_assets.sources.arrival import read_header
from sf_assets.sources.batch import Batch
from sf_assets.sources.mended import LINE
from sf_assets.sources.text import Refused
from sf_assets.staging.corrections import BadCorrection, settle
from sf_assets.staging.headcounts import apply_rules
from sf_assets.staging.reading import READERS, Count, read_source
from sf_assets.staging.records import read_records


def read_delivered(
    connection: duckdb.DuckDBPyConnection, batch: Batch, source: Source, delivered: Mapping[str, Path]
) -> list[Count]:
    """Read the files of a source, mended records in the place of those refused."""
    mended = {batch.name_of(path): batch.name_of(original) for path, original in batch.corrections(source.name).items()}
    try:
        counts = read_source(connection, source, [*delivered.values()], [*delivered])
        return settle(connection, counts, mended)
    except (BadCorrection, Refused) as error:
        raise BadFile(str(error)) from error


def read_headcounts(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    source: Source,
    delivered: Mapping[str, Path],
    parameters: Mapping[str, object],
) -> None:
    """Make `records` and `headcount_rules` of the companies' head-count file, mended records in their place.

    Raises `BadFile` unless there is exactly one file.
    """
    mending = batch.corrections(source.name)
    paths = [path for path in delivered.values() if path not in mending]
    if len(paths) != 1:
        raise BadFile(
            f"stg_filter_import, {batch.month:%Y-%m}: expected one head-count file of companies, found {len(paths)}"
        )
    connection.execute(READERS)
    header = _records_of(connection, paths[0], source)
    for correction in mending:
        connection.execute("create or replace temp table delivered as select line, raw, fields, fault from records")
        connection.execute("drop table cut")
        expected = (LINE.header, *header)
        if (found := _records_of(connection, correction, source)) != expected:
            raise BadFile(
                f"{batch.name_of(correction)}: expected the columns of {paths[0].name} after {LINE.header}, found {len(found)} "
                f"columns instead of {len(expected)}, or others"
            )
        connection.execute(_MEND)
    apply_rules(connection, header, parameters)


# Only a well-formed record can stand for another one.
_MEND = """
    create or replace temp table mended_records as
    select read_entier(fields[1]) as line, raw, fields[2:] as fields, fault from records where fault is null;
    create or replace temp view records as
    select * from delivered where line not in (select line from mended_records where line is not null)
    union all
    select * from mended_records
"""


def _records_of(connection: duckdb.DuckDBPyConnection, path: Path, source: Source) -> tuple[str, ...]:
    header_line, header = read_header(path, source)
    read_records(connection, path, separator=source.separator, lenient=True, header_line=header_line, width=len(header))
    return header
