"""The account of records: the count on arrival finds readers that lose, double or merge records."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.storage import Session, frame_of
from sf_assets.engine.storage.catalog import Catalog
from sf_assets.engine.storage.shape import declared_types
from sf_assets.sources import text
from sf_assets.sources.arrival import inspect
from sf_assets.sources.corrections import edition_of
from sf_assets.sources.counting import RecordCounter
from sf_assets.sources.description import Cell, Source
from sf_assets.sources.log import LOG
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.staging import reading, records
from sf_assets.staging.delivery import account_rows
from sf_assets.staging.suites import _SEVERAL_ROWS
from sf_assets.staging.tables import IMPORTS, query_of

MONTH = date(2026, 3, 1)
SIREN = "400000001"
LOG_QUERY = files("sf_assets.staging").joinpath("import_log.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        label_tables.load(opened)
        opened.execute(f"create temp table perimeter as select '{SIREN}' as siren")
        opened.execute(
            "create temp table accounts as select '1' as compte, date '2899-01-01' as date_disparition, '' as siret"
        )
        opened.execute("create temp table published (company varchar, first_list varchar)")
        opened.execute("attach ':memory:' as lake")
        for table in (IMPORTS, LOG):
            columns = ", ".join(f'"{name}" {type_}' for name, type_ in declared_types(table).items())
            opened.execute(f"create table lake.{table.name} ({columns})")
        yield opened


def counted(content: bytes, separator: str = ";", *, pieces: tuple[int, ...] = (), headed: bool = False) -> int:
    """Count the records of a text that is fed in chunks of these sizes, then the rest."""
    counter = RecordCounter(separator, headed=headed)
    for size in pieces:
        counter.feed(content[:size])
        content = content[size:]
    counter.feed(content)
    return counter.total()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", 0),
        (b"\n\r\n\n", 0),
        (b"a;b", 1),
        (b"a;b\nc;d\n", 2),
        (b"\n\na;b\r\n\r\n\r\nc;d\r\n\n", 2),
        (b" \n;\n", 2),
        (b'"a";b\n"c ""x""";d\n', 2),
        (b'"a\nb";c\n', 1),
        (b'"a\r\n\r\n""b"";\nc";d\r\ne;f\r\n', 2),
        (b'x;"a\n\n\n";"b\nc"\ny;z', 2),
        (b'x;"a\nb"', 1),
        # A quote that is never closed, or closed in a wrong place, makes its line one malformed record.
        (b'x;"a\ny;b\nz;c\n', 3),
        (b'x;"a\ny"b;c\nz;d\n', 3),
        (b'a"b;c\nd;e\n', 2),
        (b'"' + b"x;y\n" * 100 + b'";z\n', 1),
        (b'"' + b"x;y\n" * 101 + b'";z\n', 102),
        (b'"a\n', 1),
    ],
)
def test_records_are_non_empty_lines_joined_by_quotes(content: bytes, expected: int) -> None:
    assert counted(content) == expected
    for size in range(1, min(len(content), 40)):
        assert counted(content, pieces=(size,)) == expected


def test_a_header_is_not_counted() -> None:
    assert counted(b"\nx;y\n1;2\n", headed=True) == 1
    assert counted(b"x;y", headed=True) == 0


_LINES = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(["", "a", " ", '"', '""', ";", "\n", "\r\n", '"a"', '"b\nc"', '"d;""e"""']), max_size=6
        ),
        st.sampled_from(["\n", "\r\n", "\n\n"]),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(lines=_LINES, lenient=st.booleans(), pieces=st.lists(st.integers(1, 90), max_size=4))
def test_any_text_is_counted_as_it_is_read(
    connection: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory, lines, lenient, pieces
) -> None:
    content = "".join("".join(parts) + end for parts, end in lines).encode()
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    records.read_records(connection, path, separator=";", lenient=lenient, header_line=0, width=2)
    ((read,),) = connection.execute("select count(*) from records").fetchall()
    connection.execute("drop view records; drop view reported_records; drop table if exists cut")
    assert counted(content, pieces=tuple(pieces)) == read


# Names for sources that are matched by pattern only.
_NAMES = {"ellisphere": "Ellisphère-Tête de groupe-2026.xlsx", "diane": "diane_2026.txt", "filter": "filter_2603.csv",
          "retour": "retour_codefi-21.csv"}  # fmt: skip


def deliver(folder: Path, source: Source, suffix: str = "") -> Path:
    """Write a file of four records in the form of the source; one record of a company of the perimeter holds a line break."""
    name = suffix or _NAMES.get(source.name) or source.names[0]
    edition = source.edition_of(name)
    header = list(edition.columns or dict.fromkeys(cell.header for cell in edition.cells))
    if source.yearly:
        header = [f"{name} 2024" if name not in ("Siren", "Annee") else name for name in header if name != "Annee"]
    if source.wide:
        header += ["eff202411", "eff202412"]
    keys = {cell.header for cell in edition.cells if cell.column == edition.key}
    # A sheet read by position is refused when most values of a numeric column are texts.
    checked = {cell.header for cell in edition.cells if name.endswith(".xlsx") and cell.reader != "text"}
    rows = [
        [
            SIREN + ("00012" if edition.key == "siret" else "")
            if name in keys
            else "x" * (number == 2 and name not in checked)
            for name in header
        ]
        for number in range(4)
    ]
    rows[1][-1] = "one\ntwo" if name.endswith((".xlsx", ".csv")) and len(header) > 1 else rows[1][-1]
    path = folder / name
    if name.endswith(".xlsx"):
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
        return path
    if name.endswith(".parquet"):
        columns = ", ".join(f"'' as \"{name}\"" for name in header)
        duckdb.sql(f"copy (select {columns} from range(4)) to '{path}' (format parquet)")
        return path
    if name.endswith(".json"):
        path.write_text(
            json.dumps({"total_count": 4, "results": [dict(zip(header, row, strict=True)) for row in rows]})
        )
        return path
    lines = [edition.separator.join(f'"{cell}"' if "\n" in cell else cell for cell in row) for row in rows]
    named = [] if edition.columns else [edition.separator.join(header)]
    path.write_text("\n".join([*named, *lines, ""]), encoding=edition.encoding)
    return path


def read(connection: duckdb.DuckDBPyConnection, source: Source, *paths: Path) -> None:
    """Inspect and read files as their staging table does, and write the account of their records."""
    arrivals = [inspect(path, edition_of(source, path)) for path in paths]
    assert [arrival.fault for arrival in arrivals] == [None] * len(paths)
    names = [path.as_posix() for path in paths]
    counts = reading.read_source(connection, source, paths, names)
    connection.execute("alter table quarantine add column corrected_by varchar")
    account = account_rows(counts, dict(zip(names, (arrival.records for arrival in arrivals), strict=True)))
    connection.register("counted", frame_of(IMPORTS, ({"source": source.name} | row for row in account)).to_arrow())
    if source.name not in _SEVERAL_ROWS:
        rows = f"select $month::date as month, * from ({query_of(source)})"
        connection.execute(f"create or replace table lake.{source.table} as {rows}", {"month": MONTH})
    values = {"source": source.name, "month": MONTH}
    for table, query in ((IMPORTS, "select * exclude (source) from counted"), (LOG, LOG_QUERY)):
        connection.execute(f"delete from lake.{table.name}")
        rows = f"select *, $source as source, $month as month from ({query})"
        connection.execute(f"insert into lake.{table.name} by name {rows}", values)


def refusing(connection: duckdb.DuckDBPyConnection, source: Source) -> list[str]:
    """Return the failures of `nothing_lost`: in the staging table, and by file in the account and the log."""
    session = Session(Catalog("unused.sqlite", "unused"), connection)
    (probe,) = (check for check in SUITES[source.table].probes if check.name == "nothing_lost")
    found = [source.table] * (not probe.run(session, MONTH).passed)
    for table in (IMPORTS, LOG):
        # Only the query of the rule runs here; test_proofs.py runs the rules through the engine of checks.
        (rule,) = (rule for rule in SUITES[table.name].rules if rule.name == "nothing_lost")
        query = rule.arguments["unexpected_rows_query"].replace("{batch}", f"lake.{table.name}")
        found += [f"{table.name}: {Path(file).parent.name}" for _, file in sorted(connection.execute(query).fetchall())]
    return found


FORMS = [(source, "") for source in SOURCES] + [
    (BY_NAME["sirene"], "StockEtablissement_utf8.parquet"),
    (BY_NAME["sirene_ul"], "StockUniteLegale_utf8.parquet"),
    (BY_NAME["sirene_histo"], "StockEtablissementHistorique_utf8.parquet"),
    (BY_NAME["paydex"], "SF_DATA_20260301.txt"),
    (BY_NAME["bodacc"], "bodacc_procedures.json"),
]
IDS = [suffix or source.name for source, suffix in FORMS]


@pytest.mark.parametrize(("source", "name"), FORMS, ids=IDS)
def test_every_source_in_every_form_is_read_as_it_was_counted(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, source: Source, name: str
) -> None:
    read(connection, source, deliver(tmp_path, source, name))
    assert refusing(connection, source) == []
    assert connection.execute("select records, file from lake.stg_import").fetchall()[0][0] == 4


FAULTS = {
    "doubles": "from as_read union all (from as_read order by line limit 1)",
    "drops": "select * from as_read where line > (select min(line) from as_read)",
    "loses_all": "from as_read limit 0",
    "merges": """
        select min(line) as line, any_value(columns(* exclude (line, fault))), null::varchar as fault from as_read
    """,
}


@pytest.mark.parametrize(("source", "name"), FORMS, ids=IDS)
def test_a_reader_that_drops_doubles_or_merges_records_fails_every_account_of_records(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source, name
) -> None:
    as_it_is, faults = reading._read_edition, iter(FAULTS.values())

    def damaged(connection, *arguments):
        header = as_it_is(connection, *arguments)
        connection.execute("create or replace temp table as_read as from records")
        connection.execute(f"create or replace temp view records as {next(faults)}")
        return header

    monkeypatch.setattr(reading, "_read_edition", damaged)
    folders = [tmp_path / fault for fault in FAULTS]
    for folder in folders:
        folder.mkdir()
    read(connection, source, *(deliver(folder, source, name) for folder in folders))
    red = [f"{table}: {fault}" for table in ("stg_import", "import_log") for fault in FAULTS]
    assert refusing(connection, source) == [source.table, *red]


def test_a_file_that_was_not_read_has_a_row_in_the_account(connection: duckdb.DuckDBPyConnection) -> None:
    (row,) = account_rows([], {"one.csv": 12})
    assert (row["file"], row["records"], row["accepted"], row["quarantined"]) == ("one.csv", 12, 0, 0)
    with pytest.raises(ValueError, match=r"expected to read files that arrived, found other\.csv"):
        account_rows([reading.Count("other.csv")], {"one.csv": 12})


@pytest.mark.parametrize(
    ("name", "reader", "query"),
    [
        ("ellisphere", "_copy_sheet", "select * from rows where place > 0"),
        ("ellisphere", "_copy_sheet", "from rows union all (from rows limit 1)"),
        ("bodacc_procedures.json", "_copy_records", "select * from rows where place > 1"),
        ("diane", "_transcode", "select * from rows where place <> 2"),
    ],
)
def test_a_conversion_that_loses_or_repeats_rows_is_refused_on_arrival(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reader: str, query: str
) -> None:
    source, form = FORMS[IDS.index(name)]
    path = deliver(tmp_path, source, form)
    edition = edition_of(source, path)
    assert (inspect(path, edition).fault, inspect(path, edition).records) == (None, 4)
    as_it_is = getattr(text, reader)

    def damaged(path: Path, copy: Path, *arguments: object) -> None:
        as_it_is(path, copy, *arguments)
        lines = copy.read_text(encoding="utf-8").replace("\ntwo", " two").splitlines()
        rows = [(place, line) for place, line in enumerate(lines)]
        with duckdb.connect(config={"threads": 1}) as other:
            other.execute("create table rows (place integer, line varchar)")
            other.executemany("insert into rows values (?, ?)", rows)
            retained = [line for _, line in other.execute(query).fetchall()]
        copy.write_text("\n".join([*retained, ""]), encoding="utf-8")

    monkeypatch.setattr(text, reader, damaged)
    fault = inspect(path, edition).fault
    assert fault is not None
    assert fault.startswith(f"{path.name}: expected the {5 if name == 'diane' else 4} rows of the file, found ")


def test_empty_and_formatted_rows_of_a_workbook_are_not_counted(tmp_path: Path) -> None:
    source = BY_NAME["ellisphere"]
    path = tmp_path / _NAMES["ellisphere"]
    with xlsxwriter.Workbook(path) as book:
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        sheet.write_row(0, 0, ["400000001", "", "text"])
        sheet.write_blank(2, 1, None, bold)
        sheet.write_row(4, 0, [400000002, 0.5, True])
        sheet.write_blank(7, 1, None, bold)
    assert inspect(path, replace(source, columns=tuple("abc"), cells=(Cell("a", column="siren"),))).fault is None


@pytest.mark.parametrize("header", ['siren;"date\nd\'effet"', 'siren;"Dt_effet', '"siren"x;Dt_effet'])
def test_a_header_that_is_not_one_line_is_refused_on_arrival(tmp_path: Path, header: str) -> None:
    path = tmp_path / "sigfaible_pcoll.csv"
    path.write_text(f"Siret;Siren;Dt_effet;Cat_v2;Lib_actx_stdx;{header}\n")
    assert str(inspect(path, BY_NAME["procol"]).fault).startswith(
        "sigfaible_pcoll.csv, line 1: expected a header, found "
    )


def test_line_breaks_in_the_texts_of_json_records_are_read_whatever_their_kind(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    source = BY_NAME["bodacc"]
    path = deliver(tmp_path, source, "bodacc_procedures.json")
    page = json.loads(path.read_text())
    for one, tribunal in zip(page["results"], ["a\rb", "a\r\nb", "a\nb", "\r"], strict=True):
        one["tribunal"] = tribunal
    path.write_text(json.dumps(page))
    read(connection, source, path)
    assert refusing(connection, source) == []
    assert connection.execute("select records from lake.stg_import").fetchall() == [(4,)]


def test_a_json_record_of_too_many_lines_refuses_its_file_on_arrival(tmp_path: Path) -> None:
    source = BY_NAME["bodacc"]
    path = deliver(tmp_path, source, "bodacc_procedures.json")
    page = json.loads(path.read_text())
    page["results"][1]["tribunal"] = "\n" * 60
    page["results"][1]["familleavis"] = "\n" * 41
    path.write_text(json.dumps(page))
    assert str(inspect(path, source).fault).startswith(
        "bodacc_procedures.json, record 2: expected at most 100 line breaks in its texts, found 101. "
    )
    page["results"][1]["familleavis"] = "\n" * 40
    path.write_text(json.dumps(page))
    assert inspect(path, source).fault is None
