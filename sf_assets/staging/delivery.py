"""How the delivered files of a source are read together: mended records stand in the place of those refused."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import duckdb

from sf_assets.engine.storage.packed import UnreadableFile
from sf_assets.sources.arrival import read_header
from sf_assets.sources.batch import Batch
from sf_assets.sources.corrections import LINE
from sf_assets.sources.description import Source
from sf_assets.staging.corrections import BadCorrection, apply_corrections
from sf_assets.staging.headcounts import apply_perimeter_rules
from sf_assets.staging.reading import READERS, Count, read_source
from sf_assets.staging.records import read_records
from sf_assets.vocabulary.failures import BadFile


def read_delivered(
    connection: duckdb.DuckDBPyConnection, batch: Batch, source: Source, delivered: Mapping[str, Path]
) -> list[Count]:
    """Read the files of a source, mended records in the place of those refused."""
    mended = {batch.name_of(path): batch.name_of(original) for path, original in batch.corrections(source.name).items()}
    try:
        counts = read_source(connection, source, [*delivered.values()], [*delivered])
        if source.rejects_copies and source.key == "siret" and len(delivered) - len(mended) > 1:
            _require_complementary(connection, source, [*mended])
        return apply_corrections(connection, counts, mended)
    except (BadCorrection, UnreadableFile) as error:
        raise BadFile(str(error)) from error


def account_of(counts: Sequence[Count], records: Mapping[str, int]) -> list[dict[str, object]]:
    """Return what became of the records of each file, beside how many were counted on arrival.

    A file that was not read at all is in the account, with nothing.
    """
    read = {count.file: count for count in counts}
    if strange := read.keys() - records.keys():
        raise ValueError(f"expected to read files that arrived, found {', '.join(sorted(strange))}")
    return [asdict(read.get(file, Count(file))) | {"records": number} for file, number in records.items()]


# Of the establishments of a file, how many may be in another one too: some move between areas that are delivered apart.
_IN_TWO_FILES = 0.05
_SHARED = files("sf_assets.staging").joinpath("in_two_files.sql").read_text(encoding="utf-8")


def _require_complementary(connection: duckdb.DuckDBPyConnection, source: Source, mending: Sequence[str]) -> None:
    """Refuse files that hold the same establishments: one is another month's, and added up they would count twice."""
    found = connection.execute(_SHARED, {"mending": [*mending], "most": _IN_TWO_FILES}).fetchone()
    if found:
        file, other, shared, least = found
        raise BadFile(
            f"{source.table}: expected files that complete one another, found {shared} of {least} establishments in {file} and "
            f"in {other} too. Take the copy out of the folder and materialise src_{source.name} again."
        )


def read_headcounts(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    source: Source,
    delivered: Mapping[str, Path],
    *,
    counted: Mapping[str, int],
    parameters: Mapping[str, object],
) -> None:
    """Make `records` and `headcount_rules` of the companies' head-count file, mended records in their place.

    `counted` are the records of each file as counted on arrival. Raises `BadFile` unless there is exactly one file.
    """
    mending = batch.corrections(source.name)
    paths = [path for path in delivered.values() if path not in mending]
    if len(paths) != 1:
        raise BadFile(
            f"stg_filter_import, {batch.month:%Y-%m}: expected one head-count file of companies, found {len(paths)}"
        )
    connection.execute(READERS)
    header = _records_of(connection, paths[0], source)
    ((read,),) = connection.execute("select count(*) from records").fetchall()
    if read != counted[batch.name_of(paths[0])]:
        raise RuntimeError(
            f"{batch.name_of(paths[0])}: expected {counted[batch.name_of(paths[0])]} records as counted on arrival, "
            f"found {read}. This is a bug of the reader: keep the file and report it."
        )
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
    apply_perimeter_rules(connection, header, parameters)


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
