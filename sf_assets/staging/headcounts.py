"""Head-count files, whose months are columns: SQL from one record per identifier to one row per identifier and month."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

import duckdb

from sf_assets.engine.queries import read_query
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.sources.description import Source
from sf_assets.sources.monthly import months_of

_RULES = read_query(files("sf_assets.staging"), "headcount_rules")


def list_months(connection: duckdb.DuckDBPyConnection, header: Sequence[str]) -> None:
    """Create the temporary table `months`: the place, header and month of each column of a head-count file."""
    months = months_of(header)
    connection.execute(
        "create or replace temp table months as select place, header, read_periode_debut(header[4:]) as periode "
        "from (select unnest($1::integer[]) as place, unnest($2::varchar[]) as header)",
        [[*months], [*months.values()]],
    )


def apply_perimeter_rules(
    connection: duckdb.DuckDBPyConnection, header: Sequence[str], parameters: Mapping[str, object]
) -> None:
    """Create the temporary table `headcount_rules` from the head-count file whose records are in the view `records`."""
    list_months(connection, header)
    place = [name.lower() for name in header].index("siren") + 1
    values = _RULES.bind_values({**parameters, "siren": place})
    connection.execute(f"create or replace temp table headcount_rules as {_RULES.text}", values)


def set_months_variable(connection: duckdb.DuckDBPyConnection, header: Sequence[str], number: int) -> None:
    """Store in a DuckDB variable the month of each column, from the first column that is a month to the last.

    `number` is the number of the file, from 0. A column in between that is no month has NULL.
    """
    list_months(connection, header)
    connection.execute(read_sql("sf_assets.staging", "months_variable", number=str(number)))


def digits_only_condition(header: Sequence[str], separator: str) -> str:
    """Return the SQL condition of a record without quotes whose months are all empty or at most nine digits."""
    span = _span(header)
    other = f'[^{separator}"]*'
    digits = "[0-9]{0,9}"
    before = f"(?:{other}{separator}){{{span.start - 1}}}"
    # The numbers of columns before and after the months are fixed, so the pattern need not count the months themselves.
    months = f"{digits}(?:{separator}{digits})*"
    after = f"(?:{separator}{other}){{{len(header) + 1 - span.stop}}}"
    return f"regexp_full_match(raw, '{before}{months}{after}')"


def headcounts_expression(header: Sequence[str]) -> str:
    """Return the SQL of the list of head-counts of a record, from the first month of the file to the last."""
    # A cast of the whole list is three times faster than a reader for each cell, and most records hold digits only.
    cells = _cells(header)
    read = f"list_transform({cells}, lambda text: read_effectif(text))"
    return f"case when is_plain then try_cast({cells} as integer[]) else {read} end"


def invalid_headcounts_expression(header: Sequence[str], expected: str) -> str:
    """Return the SQL of the list of the cells of a well-formed record that are no head-counts."""
    names = months_of(header)
    columns = ", ".join(sql_literal(names[place]) if place in names else "null" for place in _span(header))
    cells, wanted = _cells(header), sql_literal(expected)
    wrong = "cell[1] <> '' and cell[2] is not null and read_effectif(cell[1]) is null"
    note = f"{{'column': cell[2], 'expected': {wanted}, 'found': cell[1]}}"
    notes = f"list_transform(list_zip({cells}, [{columns}]), lambda cell: case when {wrong} then {note} end)"
    return f"list_filter({notes}, lambda note: note is not null)"


def rows_by_month(source: Source, files: int) -> str:
    """Return the query of one row per identifier and month from the accepted records of all files."""
    empty = f"select {source.key}, null::date as periode, null::integer as {source.wide} from typed where false"
    return " union all ".join(
        [
            empty,
            *(
                read_sql(
                    "sf_assets.staging", "rows_by_month", key=source.key, value=str(source.wide), number=str(number)
                )
                for number in range(files)
            ),
        ]
    )


def _span(header: Sequence[str]) -> range:
    places = months_of(header)
    return range(min(places), max(places) + 1)


def _cells(header: Sequence[str]) -> str:
    span = _span(header)
    return f"fields[{span.start}:{span.stop - 1}]"
