"""Reading of all delivered files of a source, with the corrections of quarantined records."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import duckdb

from sf_assets.engine.sql import read_sql
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
    """Read the files of a source with their corrections; return one count per file.

    Raises:
        BadFile: a correction replaces no quarantined record, a file cannot be read, or two files hold the same establishments.

    """
    originals = {
        batch.name_of(path): batch.name_of(original) for path, original in batch.corrections(source.name).items()
    }
    try:
        counts = read_source(connection, source, [*delivered.values()], [*delivered])
        if source.rejects_copies and source.key == "siret" and len(delivered) - len(originals) > 1:
            _require_complementary(connection, source, [*originals])
        return apply_corrections(connection, counts, originals)
    except (BadCorrection, UnreadableFile) as error:
        raise BadFile(str(error)) from error


def account_rows(counts: Sequence[Count], records: Mapping[str, int]) -> list[dict[str, object]]:
    """Return one row per file: its records by outcome, and their number as counted on arrival.

    A file that was not read has a row too, with no outcomes: the check `nothing_lost` then fails.
    """
    read = {count.file: count for count in counts}
    if unknown := read.keys() - records.keys():
        raise ValueError(f"expected to read files that arrived, found {', '.join(sorted(unknown))}")
    return [asdict(read.get(file, Count(file))) | {"records": number} for file, number in records.items()]


# Share of a file's establishments that may also be in another file: some move between areas delivered in separate files.
_MAX_SHARED = 0.05
_SHARED = files("sf_assets.staging").joinpath("in_two_files.sql").read_text(encoding="utf-8")


def _require_complementary(connection: duckdb.DuckDBPyConnection, source: Source, corrections: Sequence[str]) -> None:
    """Refuse files that hold the same establishments: one belongs to another month, and its rows would count twice."""
    found = connection.execute(_SHARED, {"corrections": [*corrections], "most": _MAX_SHARED}).fetchone()
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
    """Create the views and tables `records` and `headcount_rules` of the companies' head-count file and its corrections.

    `counted` is the number of records of each file, as counted on arrival.

    Raises:
        BadFile: there is not exactly one file, or a file of corrections has other columns.
        RuntimeError: the reader found another number of records than counted on arrival, which is a bug.

    """
    corrections = batch.corrections(source.name)
    paths = [path for path in delivered.values() if path not in corrections]
    if len(paths) != 1:
        raise BadFile(
            f"stg_filter_import, {batch.month:%Y-%m}: expected one head-count file of companies, found {len(paths)}"
        )
    connection.execute(READERS)
    header = _create_records(connection, paths[0], source)
    ((read,),) = connection.execute("select count(*) from records").fetchall()
    if read != counted[batch.name_of(paths[0])]:
        raise RuntimeError(
            f"{batch.name_of(paths[0])}: expected {counted[batch.name_of(paths[0])]} records as counted on arrival, "
            f"found {read}. This is a bug of the reader: keep the file and report it."
        )
    for correction in corrections:
        connection.execute("create or replace temp table delivered as select line, raw, fields, fault from records")
        connection.execute("drop table cut")
        expected = (LINE.header, *header)
        if (found := _create_records(connection, correction, source)) != expected:
            raise BadFile(
                f"{batch.name_of(correction)}: expected the columns of {paths[0].name} after {LINE.header}, found {len(found)} "
                f"columns instead of {len(expected)}, or others"
            )
        connection.execute(_REPLACE_RECORDS)
    apply_perimeter_rules(connection, header, parameters)


# A malformed correction replaces nothing: the original record stays.
_REPLACE_RECORDS = read_sql("sf_assets.staging", "replaced_records")


def _create_records(connection: duckdb.DuckDBPyConnection, path: Path, source: Source) -> tuple[str, ...]:
    header_line, header = read_header(path, source)
    read_records(connection, path, separator=source.separator, lenient=True, header_line=header_line, width=len(header))
    return header
