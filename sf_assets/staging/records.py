"""Reading of the bytes of a delimited file into numbered records of text fields.

A file is first read as plain lines: splitting lines is faster than a CSV reader that looks for quotes, and it preserves the raw
record and its line number for the quarantine. Lines without quotes are split in SQL, well-formed quoted lines by a regular
expression. Only lines with an open or a stray quote, which are rare, are split in Python, one by one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.packed import LONGEST_LINE, LONGEST_RECORD, readable_text, unpacked
from sf_assets.engine.storage.shape import sql_identifier
from sf_assets.staging.stored import ParquetHeader

# DuckDB needs a separator: this one is in no text file, so that each line is read as one field.
_NO_SEPARATOR = "\x01\x02\x03\x04"


def read_records(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    separator: str,
    lenient: bool,
    header_line: int,
    width: int | None,
) -> None:
    """Create the temporary view `records` of a delimited text; one row is one record, and empty lines are none.

    Its columns are `line` (line of the file, from 1), `raw`, `fields` (list of texts) and `fault` (NULL for a well-formed
    record). The view `reported_records` holds the same records, restricted to the lines of the temporary table
    `reported_lines`, which is created empty.

    `header_line` is the number of the header's line, 0 without a header. `width` is the number of columns of the header,
    which every record must have; None accepts any width. `lenient` reads stray quotes as ordinary characters instead of
    refusing the record (rules §2.2).
    """
    _read_lines(connection, path)
    # Rows are stored in the order of the file: `rowid` numbers lines in parallel, unlike a window function. Within a
    # transaction it starts far from zero (DuckDB 1.5.5: 2^55): findings/duckdb_rowid_in_transaction.sh.
    ((first,),) = connection.execute("select coalesce(min(rowid), 0) from cut").fetchall()
    connection.execute(
        f"create or replace temp view lines as select rowid - {first} + 1 as line, raw, rowid as place from cut"
    )
    connection.execute(f"delete from cut where rowid < {first + header_line}")
    field = rf'"(?:[^"]|"")*"|[^{separator}"]*'
    well_formed = rf"(?:{field})(?:\{separator}(?:{field}))*"
    connection.execute("set variable separator = $1", [separator])
    connection.execute("set variable one_field = $1", [rf"(?:^|\{separator})({field})"])
    connection.execute("set variable width = $1", [width])
    cut = "string_split(raw, getvariable('separator'))"
    quoted_records = 0
    if connection.execute("select true from lines where contains(raw, '\"') limit 1").fetchone():
        quoted_records = _resolve_open_quotes(connection, separator=separator, well_formed=well_formed, lenient=lenient)
        cut = f"case when not contains(raw, '\"') then {cut} else {_SPLIT_QUOTED} end"
    # Few files need this branch, and DuckDB types records in parallel only without it.
    others = f"union all select line, raw, fields, fault from quoted_records {_RESTRICTED}" if quoted_records else ""
    _make_views(
        connection,
        read_sql("sf_assets.staging", "split_records", cut=cut, restricted=_RESTRICTED, others=others),
    )


def _read_lines(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Create the temporary table `cut` of the lines of a text, in their order; an empty line is NULL."""
    try:
        with readable_text(path) as text:
            _load_lines(connection, text)
    except duckdb.IOException:
        # DuckDB 1.5.5 refuses rare parts of a gzip archive: a comment, a checksum of its header, bytes 0 after its end.
        if path.suffix != ".gz":
            raise
        with unpacked(path) as text:
            _load_lines(connection, text)


def _load_lines(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    values = {"path": str(path), "nowhere": _NO_SEPARATOR, "longest": LONGEST_LINE}
    connection.execute(_lines("new_line = '\\n'"), values)
    # With CR LF line ends, DuckDB finds an empty line after each carriage return, so the file is read again with these line
    # ends. One thread reads it: in parallel, DuckDB fails when a chunk of a large file ends with another kind of line end.
    if connection.execute("select true from cut where raw is null limit 1").fetchone():
        connection.execute(_lines("new_line = '\\r\\n', parallel = false"), values)


def _lines(ends: str) -> str:
    return read_sql("sf_assets.staging", "file_lines", ends=ends)


def read_rows(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    header: Sequence[str],
    *,
    separator: str,
    digits: Mapping[str, int],
) -> ParquetHeader:
    """Create the views of `read_records` for a Parquet file: its rows, numbered from 1, with the columns `header` as texts.

    Texts are those of a CSV file with the same content, whatever the types of the columns. `digits` is the length of numeric
    codes, by header in lower case. The views have two more columns for the nth column of the header: `text_<n>`, the nth field,
    and `stored_<n>`, the value as the file stores it. Return the header with the types of these.
    """
    connection.execute("set variable path = $1", [str(path)])
    described = connection.execute("describe from read_parquet(getvariable('path'))").fetchall()
    types = {name: kind for name, kind, *_ in described}
    numbered = [*enumerate(header, start=1)]
    texts = (f"{_as_in_csv(name, types[name], digits.get(name.lower(), 0))} as text_{n}" for n, name in numbered)
    connection.execute("set variable separator = $1", [separator])
    _make_views(
        connection,
        read_sql(
            "sf_assets.staging",
            "parquet_records",
            texts=", ".join(f"text_{n}" for n, _ in numbered),
            stored=", ".join(f"stored_{n}" for n, _ in numbered),
            read=", ".join(texts),
            values=", ".join(f"{sql_identifier(name)} as stored_{n}" for n, name in numbered),
            restricted=_RESTRICTED,
        ),
    )
    return ParquetHeader.of({name: types[name] for name in header})


def _as_in_csv(name: str, kind: str, digits: int) -> str:
    """Return the SQL of a column as text: dates without time, whole numbers without decimals, codes with leading zeros."""
    column = sql_identifier(name)
    text = f"{column}::varchar"
    if kind.startswith("TIMESTAMP"):
        text = f"case when {column} = date_trunc('day', {column}) then {column}::date::varchar else {text} end"
    elif kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        text = f"regexp_replace({text}, '[.]0+$', '')"
    if digits and kind != "VARCHAR":
        text = f"lpad({text}, greatest(length({text}), {digits})::integer, '0')"
    return f"coalesce({text}, '')"


# The place in a query of records where it is restricted to the reported lines: before the slow split into fields.
_RESTRICTED = "/* restricted */"


def _make_views(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    connection.execute("create or replace temp table reported_lines (line bigint)")
    connection.execute(f"create or replace temp view records as {query}")
    restricted = query.replace(_RESTRICTED, "semi join reported_lines using (line)")
    connection.execute(f"create or replace temp view reported_records as {restricted}")


_SPLIT_QUOTED = (
    "list_transform(regexp_extract_all(raw, getvariable('one_field'), 1), "
    """lambda f: case when starts_with(f, '"') then replace(f[2:-2], '""', '"') else f end)"""
)


def _resolve_open_quotes(
    connection: duckdb.DuckDBPyConnection, *, separator: str, well_formed: str, lenient: bool
) -> int:
    """Resolve the lines with an open or stray quote: each starts a record of several lines, or is malformed.

    Creates the table `quoted_records` of these records, removes their lines from `lines` and returns the number of records.
    """
    connection.execute(
        "create or replace temp table quoted_records (line bigint, last bigint, raw varchar, fields varchar[], fault varchar)"
    )
    suspects = connection.execute(
        """select line from lines where contains(raw, '"') and not regexp_full_match(raw, $1) order by line""",
        [well_formed],
    ).fetchall()
    quoted_records = []
    done = 0
    for (line,) in suspects:
        if line <= done:
            continue
        following = connection.execute(
            "select coalesce(raw, '') from lines where line between $1 and $2 order by line",
            [line, line + LONGEST_RECORD],
        ).fetchall()
        texts = [text for (text,) in following]
        taken, fields = _split_strict(texts, separator)
        if fields is None and lenient:
            taken, fields = 1, _split_lenient(texts[0], separator)
        done = line + taken - 1
        fault = None if fields is not None else "a quote is in a wrong place or is never closed"
        quoted_records.append((line, done, "\n".join(texts[:taken]), fields, fault))
    if quoted_records:
        connection.executemany("insert into quoted_records values (?, ?, ?, ?, ?)", quoted_records)
        connection.execute(
            "delete from cut where rowid in "
            "(select place from lines, quoted_records as q where lines.line between q.line and q.last)"
        )
    return len(quoted_records)


def _split_strict(texts: list[str], separator: str) -> tuple[int, list[str] | None]:
    """Split a record that may span several lines; return the number of its lines and its fields, None for a wrong quote."""
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


def _split_lenient(text: str, separator: str) -> list[str]:
    """Split one line, stray quotes as ordinary characters; a quote closes a field only before a separator."""
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
