"""From records of texts to typed rows: accepted, filtered or quarantined, each record in exactly one of the three.

The SQL of a source is generated from its description. What a reader refuses goes to the quarantine with its file, line,
raw record, column and what was expected; the rest of the file goes on (decision B1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

from sf_assets.fields import FIELDS
from sf_assets.sources import Cell, Source
from sf_assets.sources.arrival import read_header
from sf_assets.staging.records import read_records

READERS = files("sf_assets.staging").joinpath("readers.sql").read_text(encoding="utf-8")

EXPECTED = {
    "text": "a value",
    "entier": "a whole number",
    "decimal_point": "a number with a decimal point",
    "decimal_virgule": "a number with a decimal comma or point, without blanks",
    "centimes": "an amount in cents",
    "entier_tronque": "a number with a decimal point",
    "booleen": "1, t, true, 0, f or false",
    "date_iso": "a date AAAA-MM-JJ",
    "date_fr": "a date JJ/MM/AAAA",
    "date_compacte": "a date AAAA-MM-JJ or AAAAMMJJ",
    "date_urssaf": "a date (A)AAMMJJ",
    "date_procol": "a date JJMMMAAAA with an English month",
    "periode_debut": "a period AAXY or AAAAXY",
    "periode_fin": "a period AAXY or AAAAXY",
    "motif": "a reason from 1 to 7",
    "effectif": "a head-count: digits, blanks between thousands",
}


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the records of one file; `records` is the sum of the three next figures.

    `cells` counts quarantined cells of accepted records.
    """

    file: str
    records: int
    accepted: int
    filtered: int
    quarantined: int
    cells: int


def read_source(connection: duckdb.DuckDBPyConnection, source: Source, paths: Sequence[Path]) -> list[Count]:
    """Read all files of a source, which were inspected before, into the temporary tables `cells` (typed rows) and `quarantine`.

    Expects the temporary tables `types_voie` (code, libelle) and `perimeter` (siren); the latter only matters to
    sources that are filtered.

    Returns one count per file, in file order.
    """
    connection.execute(READERS)
    _start(connection, source)
    for path in paths:
        header_line, header = read_header(path, source)
        read_records(
            connection,
            path,
            separator=source.separator,
            lenient=source.lenient_quotes,
            header_line=header_line,
            width=len(header),
        )
        connection.execute("set variable file = $1", [path.name])
        connection.execute(f"create or replace temp table typed as {_typed(source, header)}")
        _append(connection, "tally", "select file, disposition, count(*) as records from typed group by all")
        _append(connection, "quarantine", _QUARANTINED)
        if source.wide:
            list_months(connection, header)
            _read_wide(connection, source)
        else:
            kept = ", ".join(_columns(source))
            _append(connection, "cells", f"select file, line, raw, {kept} from typed where disposition = 'accepted'")
    if source.unique:
        _drop_duplicates(connection, source)
    return _counts(connection, [path.name for path in paths])


def _start(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Make the empty tables that files are read into; a source without a file leaves them so."""
    typed = {name: FIELDS[name].type if name in FIELDS else "VARCHAR" for name in _columns(source)}
    if source.wide:
        typed |= {"periode": "DATE", source.wide: "INTEGER"}
    columns = "".join(f', "{name}" {type_}' for name, type_ in typed.items())
    connection.execute(f"create or replace temp table cells (file varchar, line bigint, raw varchar{columns})")
    connection.execute("create or replace temp table tally (file varchar, disposition varchar, records bigint)")
    connection.execute(
        'create or replace temp table quarantine (file varchar, line bigint, level varchar, "column" varchar, '
        "expected varchar, found varchar, raw varchar)"
    )


def _append(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    connection.execute(f"insert into {table} by name {query}")


def _columns(source: Source) -> dict[str, Cell]:
    return {cell.column: cell for cell in source.cells if cell.column}


def _field(header: Sequence[str], name: str) -> str:
    """Return the SQL of a field by header name: the right-most wins, case does not matter, a missing one is empty."""
    positions = [at for at, found in enumerate(header, start=1) if found.lower() == name.lower()]
    return f"fields[{positions[-1]}]" if positions else "''"


def _key(source: Source) -> str:
    """Return the SQL of the identifier; Sirene writes that of an establishment in two cells."""
    headers = [cell.header for cell in source.cells if cell.column == source.key]
    return f'"{headers[0]}"' if headers else '"siren" || "nic"'


def _typed(source: Source, header: Sequence[str]) -> str:
    """Return the query that types every record of the view `records` and says what becomes of it."""
    texts = ", ".join(f'{_field(header, name)} as "{name}"' for name in dict.fromkeys(c.header for c in source.cells))
    values = ", ".join(f'read_{cell.reader}("{cell.header}") as v{n}' for n, cell in enumerate(source.cells))
    kept = ", ".join(f"v{n} as {cell.column}" for n, cell in enumerate(source.cells) if cell.column)
    errors = [_error(n, cell) for n, cell in enumerate(source.cells) if cell.on_error == "record" and _can_fail(cell)]
    notes = [_error(n, cell) for n, cell in enumerate(source.cells) if cell.on_error == "cell"]
    key = _key(source)
    errors.append(
        _Error(f"not regexp_full_match({key}, '{FIELDS[source.key].pattern}')", source.key, "digits only", key)
    )
    outside = f"substr({key}, 1, 9) not in (select siren from perimeter)" if source.filtered else "false"
    # The reference tests the key only once the other cells are sound, and the perimeter last (sources.md §2.4).
    return f"""
        with texts as (select line, raw, fields, fault, {texts} from records),
        valued as (select *, {values} from texts),
        judged as (
            select *,
                case
                    when fault is not null
                        then [{{'column': null::varchar, 'expected': fault, 'found': null::varchar}}]
                    when {" or ".join(error.condition for error in errors)} then {_listed(errors)}
                    else {_NO_ERROR}
                end as errors,
                {_listed(notes)} as notes
            from valued
        )
        select
            getvariable('file') as file, line, {kept}, {"fields," if source.wide else ""}
            case
                when fault is null and ({source.skip or "false"}) then 'filtered'
                when len(errors) > 0 then 'quarantined'
                when {outside} then 'filtered'
                else 'accepted'
            end as disposition,
            case when {"true" if source.unique else "len(errors) > 0 or len(notes) > 0"} then raw end as raw,
            errors, notes
        from judged
    """


_NO_ERROR = '[]::struct("column" varchar, expected varchar, found varchar)[]'


@dataclass(frozen=True, slots=True)
class _Error:
    """When a cell is wrong, as SQL, and what to say of it."""

    condition: str
    column: str
    expected: str
    found: str

    @property
    def sql(self) -> str:
        said = f"{{'column': '{self.column}', 'expected': '{self.expected}', 'found': {self.found}::varchar}}"
        return f"case when {self.condition} then {said} end"


def _can_fail(cell: Cell) -> bool:
    return cell.required or cell.reader not in ("text", "etat_actif")


def _error(n: int, cell: Cell) -> _Error:
    wrong = f"v{n} is null" if cell.required else f"(v{n} is null and \"{cell.header}\" <> '')"
    return _Error(wrong, cell.header, EXPECTED[cell.reader], f'"{cell.header}"')


def _listed(errors: Sequence[_Error]) -> str:
    if not errors:
        return _NO_ERROR
    return f"list_filter([{', '.join(error.sql for error in errors)}], lambda e: e is not null)"


_QUARANTINED = """
    select file, line, 'record' as level, error.column as "column", error.expected as expected, error.found as found, raw
    from (select file, line, raw, unnest(errors) as error from typed where disposition = 'quarantined')
    union all
    select file, line, 'cell', note.column, note.expected, note.found, raw
    from (select file, line, raw, unnest(notes) as note from typed where disposition = 'accepted')
"""


def list_months(connection: duckdb.DuckDBPyConnection, header: Sequence[str]) -> None:
    """Make the temporary table `months` of a head-count file: the place of each month's column, its header, its month."""
    months = [(place, name, name[3:]) for place, name in enumerate(header, start=1) if _is_month(name)]
    connection.execute("create or replace temp table months (place integer, header varchar, periode date)")
    connection.executemany("insert into months select $1, $2, read_periode_debut($3)", months)


def _read_wide(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Turn one record per identifier, with a column per month, into one row per identifier and month."""
    connection.execute(
        f"""
        create or replace temp view melted as
        select file, line, {source.key}, text, m.header, m.periode, read_effectif(text) as {source.wide}
        from (
            select file, line, {source.key}, unnest(fields) as text, generate_subscripts(fields, 1) as place
            from typed where disposition = 'accepted'
        ) join months m using (place)
        where text <> ''
        """
    )
    _append(
        connection,
        "cells",
        f"select file, line, null as raw, {source.key}, periode, {source.wide} from melted where {source.wide} is not null",
    )
    _append(
        connection,
        "quarantine",
        f"""
        select m.file, m.line, 'cell' as level, m.header as "column", $${EXPECTED["effectif"]}$$ as expected,
            m.text as found, lines.raw as raw
        from melted m join lines using (line) where m.{source.wide} is null
        """,
    )


def _is_month(name: str) -> bool:
    """Tell whether a header names a month: `eff` and the six digits of a period, in lower case.

    >>> _is_month("eff202412"), _is_month("effectif_moyen"), _is_month("EFF202412")
    (True, False, False)
    """
    return name.startswith("eff") and len(name) == len("effAAAAXY") and name[3:].isdigit()


def _drop_duplicates(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Keep one row per key: exact copies are filtered out, of conflicting rows the last one wins (decision B8)."""
    key = ", ".join(source.unique)
    values = ", ".join(_columns(source))
    connection.execute(
        f"""
        create or replace temp table repeated as
        select file, line, raw, row({values}) is not distinct from first_value(row({values})) over latest as is_copy
        from cells
        window latest as (partition by {key} order by file desc, line desc)
        qualify row_number() over latest > 1
        """
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
    connection.execute("delete from cells using repeated r where cells.file = r.file and cells.line = r.line")


# Records that leave the accepted ones: counted once more where they go, and once less where they came from.
_MOVED = """
    select file, case when is_copy then 'filtered' else 'quarantined' end as disposition, count(*) as records
    from repeated group by all
    union all
    select file, 'accepted', -count(*) from repeated group by all
"""


def _counts(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[Count]:
    rows = connection.execute(
        """
        select
            file, coalesce(sum(records), 0),
            coalesce(sum(records) filter (disposition = 'accepted'), 0),
            coalesce(sum(records) filter (disposition = 'filtered'), 0),
            coalesce(sum(records) filter (disposition = 'quarantined'), 0),
            (select count(*) from quarantine q where q.file = f.file and level = 'cell')
        from (select unnest($names) as file) f left join tally using (file)
        group by file order by file
        """,
        {"names": list(names)},
    ).fetchall()
    return [Count(file, *map(int, figures)) for file, *figures in rows]
