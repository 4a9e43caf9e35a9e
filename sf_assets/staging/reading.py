"""Reading of the files of a source: from records of texts to typed rows.

Each record is accepted, filtered or quarantined. A quarantined record or cell is stored with its file, line, column, expected
content and raw record; the other records of the file are loaded (deviation B1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.packed import UnreadableFile
from sf_assets.engine.storage.shape import sql_identifier
from sf_assets.sources.arrival import read_columns
from sf_assets.sources.corrections import LINE, edition_of, is_correction
from sf_assets.sources.description import Cell, Source
from sf_assets.sources.text import converted_to_text, is_parquet
from sf_assets.sources.yearly import of_year, years_of
from sf_assets.staging.dispositions import LOOKUP_TABLES, reasons_query, typed_query
from sf_assets.staging.headcounts import rows_by_month, set_months_variable
from sf_assets.staging.records import read_records, read_rows
from sf_assets.vocabulary.fields import FIELDS

_FOLDER = files("sf_assets.staging")
READERS = _FOLDER.joinpath("readers.sql").read_text(encoding="utf-8")
# Tables in which readers look texts up, with these readers. They take a twentieth of a second: few sources need them.
_LOOKUPS = {
    "known_codes": frozenset(LOOKUP_TABLES) - {"type_voie"},
    "known_spellings": frozenset({"accents", "nature"}),
}


@dataclass(frozen=True, slots=True)
class Count:
    """The numbers of records of one file, by outcome.

    `cells` counts quarantined cells of accepted records, `corrected` the quarantined records that a correction replaces. Of
    the filtered records, `outside` are outside the perimeter and `copies` are exact copies; the others are not needed.
    """

    file: str
    accepted: int = 0
    filtered: int = 0
    quarantined: int = 0
    cells: int = 0
    corrected: int = 0
    outside: int = 0
    copies: int = 0

    @property
    def records(self) -> int:
        """The number of records read, to be compared with the number counted on arrival."""
        return self.accepted + self.filtered + self.quarantined


def read_source(
    connection: duckdb.DuckDBPyConnection, source: Source, paths: Sequence[Path], names: Sequence[str] = ()
) -> list[Count]:
    """Read all inspected files of a source; return one count per file, in the order of their names.

    Creates the temporary view `cells` (typed rows of accepted records) and the temporary table `quarantine`. `names` are the
    names of the files in both; by default their file names.

    Expects the temporary tables `types_voie` (code, libelle), `perimeter` (siren) for filtered sources, and `accounts` (compte,
    siret, date_disparition) for files whose records have an account instead of a siret.

    Raises:
        UnreadableFile: a file needs accounts and the list of accounts is empty.

    """
    connection.execute(READERS)
    known: set[str] = set()
    names = names or [path.name for path in paths]
    _start(connection, source, names, corrected=any(is_correction(path) for path in paths))
    connection.execute("set variable files = $1::varchar[]", [list(names)])
    in_place = _is_read_in_place(source, paths)
    for number, (name, path) in enumerate(zip(names, paths, strict=True)):
        connection.execute("set variable file = $1", [name])
        edition = edition_of(source, path)
        _make_lookups(connection, edition, known)
        with converted_to_text(path, edition) as text:
            header = _read_edition(connection, text, edition)
            if edition.lacks_key(header):
                _require_accounts(connection, name, edition)
            if source.yearly:
                _read_years(connection, edition, header)
            else:
                _read_file(connection, edition, header, columns=_casts(source, edition) if in_place else "")
        if source.wide:
            set_months_variable(connection, header, number)
        connection.execute("drop table if exists cut")
    if not source.yearly and not in_place:
        _append(connection, "tally", _TALLY)
    if source.unique:
        _drop_duplicates(connection, source, names)
    connection.execute(f"create or replace temp view cells as {_cells(source, len(paths))}")
    return _counts(connection, names)


def _make_lookups(connection: duckdb.DuckDBPyConnection, edition: Source, known: set[str]) -> None:
    """Make the tables in which the readers of an edition look texts up, except those already `known`."""
    readers = {cell.reader for cell in edition.cells}
    for name, of_readers in _LOOKUPS.items():
        if name not in known and readers & of_readers:
            connection.execute(read_sql("sf_assets.staging", name))
            known.add(name)


def _read_edition(connection: duckdb.DuckDBPyConnection, path: Path, edition: Source) -> Sequence[str]:
    """Create the view `records` of one text; return its header."""
    header_line, header = read_columns(path, edition)
    if is_parquet(path):
        digits = {cell.header.lower(): cell.digits for cell in edition.cells if cell.digits}
        return read_rows(connection, path, header, separator=edition.separator, digits=digits)
    read_records(
        connection,
        path,
        separator=edition.separator,
        lenient=edition.lenient_quotes,
        header_line=header_line,
        width=None if edition.ragged else len(header),
    )
    return header


def _require_accounts(connection: duckdb.DuckDBPyConnection, name: str, source: Source) -> None:
    if not connection.execute("select true from accounts limit 1").fetchone():
        raise UnreadableFile(
            f"{name}: expected a column {source.key}, or in the batch a file of accounts "
            f"(sigfaible_etablissement_utf8.csv) to look it up in, found neither"
        )


def _is_read_in_place(source: Source, paths: Sequence[Path]) -> bool:
    """Tell whether typed records need no table: those of the only file, whose columns and rows can be read again at will."""
    return len(paths) == 1 and paths[0].suffix == ".parquet" and not (source.unique or source.yearly or source.wide)


def _casts(source: Source, edition: Source) -> str:
    """Return the SQL of the columns of the table of typed records, from a query of the records of an edition."""
    present = _columns(edition)
    return ", ".join(
        f"cast({sql_identifier(name) if name in present else 'null'} as {type_}) as {sql_identifier(name)}"
        for name, type_ in _types(source).items()
    )


def _read_file(connection: duckdb.DuckDBPyConnection, edition: Source, header: Sequence[str], *, columns: str) -> None:
    """Type the records of one file, and add its wrong records and cells to the quarantine.

    With `columns`, those of the table of typed records, `typed` becomes a query of the file itself, which is read in place.
    """
    if columns:
        query = (
            f"select file, line, {columns}, disposition, is_reported, is_outside from ({typed_query(edition, header)})"
        )
        connection.execute(f"create or replace temp view typed as {query}")
        _append(connection, "tally", _TALLY)
        # Most files of the register have nothing to report: they are not read once more to list it.
        if not connection.execute("select sum(reported) > 0 from tally").fetchall()[0][0]:
            return
    else:
        _append(connection, "typed_records", typed_query(edition, header))
    _list_reported(connection)
    _append(connection, "quarantine", reasons_query(edition, header))


def _read_years(connection: duckdb.DuckDBPyConnection, edition: Source, header: Sequence[str]) -> None:
    """Type the records once per year; records that are not accepted are so in every year, and are stored once."""
    for number, year in enumerate(years_of(header)):
        connection.execute("set variable year = $1", [str(year)])
        for view in ("records", "reported_records"):
            connection.execute(
                f"create or replace temp view {view}_of_year as "
                f"select line, raw, list_append(fields, getvariable('year')) as fields, fault from {view}"
            )
        headers = (*of_year(header, year), "Annee")
        typed = typed_query(edition, headers, "records_of_year")
        _append(connection, "typed_records", f"select * from ({typed}) where disposition = 'accepted' or {number} = 0")
        if number == 0:
            _append(connection, "tally", f"{_TALLY} having file = getvariable('file')")
        _list_reported(connection)
        reasons = reasons_query(edition, headers, "reported_records_of_year")
        _append(connection, "quarantine", f"select * from ({reasons}) where level = 'cell' or {number} = 0")


def _list_reported(connection: duckdb.DuckDBPyConnection) -> None:
    """List the lines with wrong records or cells, usually few: only these are read again for the quarantine."""
    connection.execute(
        "insert into reported_lines select distinct line from typed "
        "where is_reported and file = getvariable('file') and line not in (from reported_lines)"
    )


def _start(connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str], *, corrected: bool) -> None:
    """Create the empty tables that files are read into; they stay empty for a source without a file."""
    # An enum takes one byte per row for the name of the file, which millions of rows repeat.
    file = f"enum({', '.join(sql_literal(name) for name in names)})" if names else "varchar"
    typed = _types(source)
    typed |= {source.wide: "INTEGER[]"} if source.wide else {}
    typed |= {str(LINE.column): "VARCHAR"} if corrected else {}
    columns = "".join(f', "{name}" {type_}' for name, type_ in typed.items())
    raw = ", raw varchar" if source.unique else ""
    connection.execute(
        f"create or replace temp table typed_records (file {file}, line bigint{raw}{columns}, "
        "disposition enum('accepted', 'filtered', 'quarantined'), is_reported boolean, is_outside boolean)"
    )
    connection.execute("create or replace temp view typed as from typed_records")
    connection.execute(
        "create or replace temp table tally "
        "(file varchar, disposition varchar, records bigint, outside bigint, copies bigint, reported bigint)"
    )
    connection.execute(
        'create or replace temp table quarantine (file varchar, line bigint, level varchar, "column" varchar, '
        "expected varchar, found varchar, raw varchar)"
    )


def _types(source: Source) -> dict[str, str]:
    return {name: FIELDS[name].type if name in FIELDS else "VARCHAR" for name in _columns(source)}


def _columns(source: Source) -> dict[str, Cell]:
    return {cell.column: cell for cell in source.cells if cell.column}


def _append(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    connection.execute(f"insert into {table} by name {query}")


def _cells(source: Source, files: int) -> str:
    """Return the query of the typed rows of all files."""
    if not source.wide:
        columns = ", ".join(("list_position(getvariable('files'), file) as file_number", *_columns(source)))
        return f"select file, line, {columns} from typed where disposition = 'accepted'"
    return rows_by_month(source, files)


def _drop_duplicates(connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str]) -> None:
    """Retain one record per key: exact copies are filtered, other earlier records are quarantined (deviation B8)."""
    key = ", ".join(source.unique)
    values = ", ".join(_columns(source))
    connection.execute(
        read_sql("sf_assets.staging", "repeated_records", cells=values, key=key),
        {"names": list(names)},
    )
    _append(connection, "tally", _MOVED)
    connection.execute(
        """
        insert into quarantine by name
        select file, line, 'record' as level, $key as "column", 'one record per key' as expected, raw
        from repeated where not is_copy
        """,
        {"key": key},
    )
    connection.execute("delete from typed_records as t using repeated as r where t.file = r.file and t.line = r.line")


_TALLY = """
    select
        file, disposition, count(*) as records, count(*) filter (is_outside) as outside, count(*) filter (is_reported) as reported
    from typed group by all
"""

# Records that are no longer accepted: added to their new disposition, and subtracted from the accepted ones.
_MOVED = read_sql("sf_assets.staging", "moved_records")


def _counts(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[Count]:
    rows = connection.execute(
        read_sql("sf_assets.staging", "tallied_records"),
        {"names": list(names)},
    ).fetchall()
    return [Count(file, *map(int, figures)) for file, *figures in rows]
