"""From the bytes of a delimited file to numbered records of text fields, in sets.

A file is read as plain lines first: cutting lines is faster than a CSV reader that must look for quotes, and keeps the
raw record and its line for the quarantine. Lines without a quote are cut in SQL; well-formed quoted lines are cut by a
regular expression; only lines with an open or a stray quote, which are rare, go through Python one by one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from sf_assets.engine.storage.packed import LONGEST_LINE, readable_text
from sf_assets.engine.storage.shape import name_of

# A quoted field may hold line breaks; past this many lines an open quote is a mistake, and only its line is refused.
_LONGEST_RECORD = 100
# The engine needs a separator: one that no text file holds, so that a line stays whole.
_NOWHERE = "\x01\x02\x03\x04"
_LONGEST_LINE = LONGEST_LINE


def read_records(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    separator: str,
    lenient: bool,
    header_line: int,
    width: int | None,
) -> None:
    """Make the temporary view `records`: `line` (of the file, from 1), `raw`, `fields` (texts), `fault` (NULL when sound).

    The view `told_records` is the same of the lines in the temporary table `told_lines`, which is made without any.
    Empty lines are no records. `width` is the number of columns of the header, which every record must have; None
    takes records of any width. `lenient` keeps stray quotes as ordinary characters instead of refusing the record
    (rules §2.2).
    """
    _read_lines(connection, path)
    # Rows keep the order of the file: their identifier numbers lines in parallel, which a window function cannot.
    # In a transaction that is still open, the engine gives new rows identifiers that do not start at 0.
    connection.execute("set variable before_first = (select coalesce(min(rowid), 0) - 1 from cut)")
    connection.execute(
        "create or replace temp view lines as select rowid - getvariable('before_first') as line, raw from cut"
    )
    connection.execute(f"delete from cut where rowid - getvariable('before_first') <= {int(header_line)}")
    field = rf'"(?:[^"]|"")*"|[^{separator}"]*'
    sound = rf"(?:{field})(?:\{separator}(?:{field}))*"
    connection.execute("set variable separator = $1", [separator])
    connection.execute("set variable one_field = $1", [rf"(?:^|\{separator})({field})"])
    connection.execute("set variable width = $1", [width])
    cut = "string_split(raw, getvariable('separator'))"
    settled = 0
    if connection.execute("select true from lines where contains(raw, '\"') limit 1").fetchone():
        settled = _settle_open_quotes(connection, separator=separator, sound=sound, lenient=lenient)
        cut = f"case when not contains(raw, '\"') then {cut} else {_UNQUOTED} end"
    # Without this branch, which few files need, the engine types records in parallel.
    others = f"union all select line, raw, fields, fault from settled {_RESTRICTED}" if settled else ""
    _make_views(
        connection,
        f"""
        select
            line, raw, fields,
            case
                when fault is not null then fault
                when len(fields) <> getvariable('width')
                    then format('expected {{}} fields, found {{}}', getvariable('width'), len(fields))
            end as fault
        from (
            select line, raw, {cut} as fields, null::varchar as fault from lines {_RESTRICTED} where raw is not null
            {others}
        )
        """,
    )


def _read_lines(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the temporary table `cut` of the lines of a text, in their order; an empty line is NULL."""
    cut = """
        create or replace temp table cut as
        select raw
        from read_csv(
            $path, columns = {{'raw': 'VARCHAR'}}, header = false, delim = $nowhere, quote = '', escape = '',
            auto_detect = false, strict_mode = false, max_line_size = $longest, buffer_size = 2 * $longest, {ends}
        )
    """
    with readable_text(path) as text:
        values = {"path": str(text), "nowhere": _NOWHERE, "longest": _LONGEST_LINE}
        connection.execute(cut.format(ends="new_line = '\\n'"), values)
        # There, a carriage return too ends a line, and an empty one seems to follow. Lines that end with both, or with either,
        # can only be read one after the other: in parallel, the engine gives up where a piece of a large file ends with the
        # other.
        if connection.execute("select true from cut where raw is null limit 1").fetchone():
            connection.execute(cut.format(ends="new_line = '\\r\\n', parallel = false"), values)


def read_rows(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    header: Sequence[str],
    *,
    separator: str,
    digits: Mapping[str, int],
) -> None:
    """Make the views of a Parquet file as of any other: its rows, numbered from 1, with these columns as texts.

    Texts are those that a CSV file would hold, whatever types the writer chose. `digits` is the length of codes of digits, by
    header in lower case.
    """
    connection.execute("set variable path = $1", [str(path)])
    described = connection.execute("describe from read_parquet(getvariable('path'))").fetchall()
    types = {name: kind for name, kind, *_ in described}
    texts = ", ".join(_as_in_csv(name, types[name], digits.get(name.lower(), 0)) for name in header)
    connection.execute("set variable separator = $1", [separator])
    _make_views(
        connection,
        f"""
        select line, {_QUOTED} as raw, fields, null::varchar as fault
        from (
            select file_row_number + 1 as line, [{texts}] as fields
            from read_parquet(getvariable('path'), file_row_number = true)
        )
        {_RESTRICTED}
        """,
    )


def _as_in_csv(name: str, kind: str, digits: int) -> str:
    """Return the SQL of a column as text: days without an hour, whole numbers without decimals, codes with their zeros."""
    column = name_of(name)
    text = f"{column}::varchar"
    if kind.startswith("TIMESTAMP"):
        text = f"case when {column} = date_trunc('day', {column}) then {column}::date::varchar else {text} end"
    elif kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        text = f"regexp_replace({text}, '[.]0+$', '')"
    if digits and kind != "VARCHAR":
        text = f"lpad({text}, greatest(length({text}), {digits})::integer, '0')"
    return f"coalesce({text}, '')"


# Where a query of records is cut down to the lines that are told of: before their fields are cut, which takes long.
_RESTRICTED = "/* restricted */"


def _make_views(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    connection.execute("create or replace temp table told_lines (line bigint)")
    connection.execute(f"create or replace temp view records as {query}")
    told = query.replace(_RESTRICTED, "semi join told_lines using (line)")
    connection.execute(f"create or replace temp view told_records as {told}")


_QUOTED = """
    array_to_string(
        list_transform(
            fields,
            lambda f: case
                when contains(f, '"') or contains(f, chr(10)) or contains(f, getvariable('separator'))
                    then concat('"', replace(f, '"', '""'), '"')
                else f
            end
        ),
        getvariable('separator')
    )
"""

_UNQUOTED = """
    list_transform(
        regexp_extract_all(raw, getvariable('one_field'), 1),
        lambda f: case when starts_with(f, '"') then replace(f[2:-2], '""', '"') else f end
    )
"""


def _settle_open_quotes(connection: duckdb.DuckDBPyConnection, *, separator: str, sound: str, lenient: bool) -> int:
    """Settle the lines whose quotes do not close: they open a record of several lines, or are wrong.

    Makes the table `settled` of such records, takes their lines out of `lines` and returns how many records there are.
    """
    connection.execute(
        "create or replace temp table settled (line bigint, last bigint, raw varchar, fields varchar[], fault varchar)"
    )
    suspects = connection.execute(
        """select line from lines where contains(raw, '"') and not regexp_full_match(raw, $1) order by line""", [sound]
    ).fetchall()
    settled = []
    done = 0
    for (line,) in suspects:
        if line <= done:
            continue
        following = connection.execute(
            "select coalesce(raw, '') from lines where line between $1 and $2 order by line",
            [line, line + _LONGEST_RECORD],
        ).fetchall()
        texts = [text for (text,) in following]
        taken, fields = _cut_strict(texts, separator)
        if fields is None and lenient:
            taken, fields = 1, _cut_lenient(texts[0], separator)
        done = line + taken - 1
        fault = None if fields is not None else "a quote stands where none may, or is never closed"
        settled.append((line, done, "\n".join(texts[:taken]), fields, fault))
    if settled:
        connection.executemany("insert into settled values (?, ?, ?, ?, ?)", settled)
        connection.execute(
            "delete from cut using settled s where cut.rowid - getvariable('before_first') between s.line and s.last"
        )
    return len(settled)


def _cut_strict(texts: list[str], separator: str) -> tuple[int, list[str] | None]:
    """Cut one record that may span several lines; return the lines taken and its fields, None when a quote is wrong."""
    fields: list[str] = []
    text, taken, at = texts[0], 1, 0
    while True:
        if text[at : at + 1] != '"':
            end = text.find(separator, at)
            field = text[at:] if end < 0 else text[at:end]
            if '"' in field:
                return 1, None
            at += len(field)
        else:
            value = ""
            at += 1
            while (end := _closing_quote(text, at)) < 0:
                if taken == len(texts):
                    return 1, None
                value += text[at:].replace('""', '"') + "\n"
                text, at, taken = texts[taken], 0, taken + 1
            field = value + text[at:end].replace('""', '"')
            at = end + 1
        fields.append(field)
        if at == len(text):
            return taken, fields
        if text[at] != separator:
            return 1, None
        at += 1


def _closing_quote(text: str, at: int) -> int:
    while (at := text.find('"', at)) >= 0:
        if text[at + 1 : at + 2] != '"':
            return at
        at += 2
    return -1


def _cut_lenient(text: str, separator: str) -> list[str]:
    """Cut one line whose stray quotes are ordinary characters; a quote closes a field only before a separator."""
    fields: list[str] = []
    at = 0
    while True:
        opened = text[at : at + 1] == '"'
        end = text.find('"' + separator, at + 1) if opened else text.find(separator, at)
        last = end < 0
        piece = text[at:] if last else text[at : end + opened]
        fields.append(piece.removeprefix('"').removesuffix('"').replace('""', '"') if opened else piece)
        if last:
            return fields
        at = end + opened + 1
