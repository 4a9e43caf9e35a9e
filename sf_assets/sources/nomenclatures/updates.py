"""Validation of the label tables delivered with a batch, before they replace the packaged ones."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sf_assets.engine.errors import describe_error
from sf_assets.engine.storage.packed import UnreadableFile, first_lines, readable_text
from sf_assets.sources.nomenclatures.editions import EDITIONS, Part, parts_of
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.schema import Table

# Share of the packaged codes that an update must contain: a new edition removes few codes.
_MIN_SHARE_OF_CODES = 0.9
_CODES = {
    "labels_departement_region": ("departement", r"[0-9][0-9AB][0-9]?"),
    "labels_motif_recours": ("id", r"[0-9]"),
    "types_voie": ("code", r"[A-Z]{1,4}"),
}


class BadNomenclature(UserError):
    """A delivered label table cannot replace the packaged one; the message gives the reason and the place."""


def read_csv(table: Table, *, as_texts: bool = False) -> str:
    """Return the SQL that reads the file `$path` with the columns of a label table."""
    types = ", ".join(f"'{column.name}': '{'VARCHAR' if as_texts else column.type}'" for column in table.columns)
    return (
        "read_csv($path, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"columns = {{{types}}})"
    )


def read_label_table(
    connection: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path], packaged: Path
) -> None:
    """Create the temporary table `delivered_codes` of a label table, all texts, from this project's or its producer's layout.

    The packaged table is read into the temporary table `packaged_codes`.

    Raises:
        BadNomenclature: names the files, what was expected and what was found.

    """
    names = ", ".join(path.name for path in paths)
    connection.execute(
        f"create or replace temp table packaged_codes as from {read_csv(table, as_texts=True)}", {"path": str(packaged)}
    )
    if len(paths) == 1 and (header := _header(paths[0])) == list(table.column_names):
        with _naming_file(names, f"{len(table.columns)} cells a line in UTF-8"):
            _create_table(connection, "delivered_codes", f"from {read_csv(table, as_texts=True)}", paths[0])
    elif found := parts_of(table.name, paths):
        edition, files = found
        for part in edition.parts:
            _require_header_line(part, files[part.name])
            with _naming_file(files[part.name].name, f"the columns {', '.join(part.columns)} in UTF-8"):
                _create_table(connection, part.name, part.query, files[part.name])
        connection.execute(f"create or replace temp table delivered_codes as {edition.query}")
    else:
        expected, official = ",".join(table.column_names), _published_files(table)
        if len(paths) == 1 and not official:
            raise BadNomenclature(f"{names}, line 1: expected {expected}, found {','.join(header)[:100] or 'nothing'}")
        raise BadNomenclature(f"{names}: expected one file with the columns {expected}{official}")


def require_valid(table: Table, paths: Sequence[Path], packaged: Path) -> None:
    """Refuse files that are not the label table `table`, or that lack too many codes of the packaged file.

    Raises:
        BadNomenclature: names the files, the column, what was expected and what was found.

    """
    with duckdb.connect() as connection:
        read_label_table(connection, table, paths, packaged)
        for fault in _find_faults(connection, table):
            raise BadNomenclature(f"{', '.join(path.name for path in paths)}, {fault}")


def _published_files(table: Table) -> str:
    """Return the part of a message that lists the files in which INSEE publishes the table; empty when it does not."""
    published = (
        ", ".join(part.example for part in edition.parts) for edition in EDITIONS if edition.table == table.name
    )
    return "".join(f", or the files that INSEE publishes: {files}" for files in published)


def _require_header_line(part: Part, path: Path) -> None:
    """Refuse a list of codes without a header: its first line is skipped, so a code in it would be lost."""
    if part.code and (header := _header(path, part.separator)) and re.fullmatch(part.code, header[0]):
        raise BadNomenclature(f"{path.name}, line 1: expected a line of names, found the code {header[0]}")


def _header(path: Path, separator: str = ",") -> list[str]:
    try:
        line = next(first_lines(path), b"").decode("utf-8-sig")
        return next(csv.reader([line], delimiter=separator), [])
    except UnreadableFile as refused:
        raise BadNomenclature(str(refused)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadNomenclature(f"{path.name}, line 1: expected UTF-8 text, found other bytes ({error})") from None


def _create_table(connection: duckdb.DuckDBPyConnection, name: str, query: str, path: Path) -> None:
    """Create a temporary table from a file, packed or not."""
    with readable_text(path) as text:
        connection.execute(f"create or replace temp table {name} as {query}", {"path": str(text)})


@contextmanager
def _naming_file(name: str, expected: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise BadNomenclature(f"{name}: expected {expected}, found others ({describe_error(error)})") from None


def _find_faults(connection: duckdb.DuckDBPyConnection, table: Table) -> Iterator[str]:
    def number(sql: str, *values: object) -> int:
        return int(connection.execute(sql, values).fetchall()[0][0])

    for column in table.columns:
        if empty := number(f"select count(*) from delivered_codes where coalesce({column.name}, '') = ''"):
            yield f"column {column.name}: expected a value on each line, found none on {empty}"
        # DuckDB casts `1e1` and `1.5` to whole numbers, so integers are matched by a pattern.
        unlike = (
            "not regexp_full_match({}, '[0-9]{{1,9}}')" if column.type == "INTEGER" else "try_cast({} as {}) is null"
        )
        if other := number(f"select count(*) from delivered_codes where {unlike.format(column.name, column.type)}"):
            yield f"column {column.name}: expected {column.type}, found something else on {other} lines"
    patterns = {column.name: column.pattern for column in table.columns if column.pattern}
    for name, pattern in (patterns | dict([_CODES[table.name]] if table.name in _CODES else [])).items():
        if wrong := number(f"select count(*) from delivered_codes where not regexp_full_match({name}, $1)", pattern):
            yield f"column {name}: expected codes like {pattern}, found {wrong} others"
    key = ", ".join(table.key)
    if repeated := number(f"select count(*) from (select 1 from delivered_codes group by {key} having count(*) > 1)"):
        yield f"column {key}: expected each code once, found {repeated} repeated"
    packaged = number("select count(*) from packaged_codes")
    retained = number(f"select count(*) from packaged_codes where ({key}) in (select ({key}) from delivered_codes)")
    if retained < _MIN_SHARE_OF_CODES * packaged:
        yield f"column {key}: expected at least {_MIN_SHARE_OF_CODES:.0%} of the {packaged} codes in use, found {retained}"
