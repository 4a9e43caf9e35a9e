"""Randomly damaged files: each is refused, or every record of it is accepted, filtered or quarantined."""

import gzip
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sf_assets.sources.arrival import inspect
from sf_assets.sources.description import Source
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import query_of
from sf_assets_dev.synthetic import write_batch

MONTH = date(2024, 6, 1)
SPOILED = ("debit", "cotisation", "procol", "effectif_ent", "delai", "apdemande", "sirene", "ratios_inpi_bce")
LINES = 40


@dataclass(frozen=True)
class Read:
    """The result of a file: its fault or, without a fault, its counts, rows and quarantine."""

    fault: str | None
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    rows: tuple[tuple, ...] = ()
    refused_lines: tuple[int, ...] = ()


@pytest.fixture(scope="module")
def delivered(tmp_path_factory) -> dict[str, list[bytes]]:
    """Return the first lines of each source's synthetic file, the header included."""
    folder = tmp_path_factory.mktemp("delivered")
    write_batch(folder, month=MONTH, companies=40, years=2, seed=5)
    found = {}
    for name in SPOILED:
        path = next(p for p in folder.iterdir() if p.name.removesuffix(".gz") in BY_NAME[name].names)
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found[name] = content.splitlines(keepends=True)[: LINES + 1]
    return found


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        yield connection


def read(connection: duckdb.DuckDBPyConnection, source: Source, folder: Path, content: bytes) -> Read:
    path = folder / (source.names[0] if source.names else "file.csv")
    path.write_bytes(content)
    arrival = inspect(path, source)
    if arrival.fault:
        return Read(arrival.fault)
    # Every company is in the perimeter, so that filtered records have another reason.
    connection.execute(
        "create or replace temp table perimeter as "
        "select distinct siren from (select unnest(regexp_extract_all($1, '[0-9]{9}')) as siren)",
        [content.decode()],
    )
    (count,) = read_source(connection, source, [path])
    assert count.records == arrival.records
    lines = connection.execute("select line from quarantine where level = 'record' order by line").fetchall()
    return Read(
        None,
        (count.records, count.accepted, count.filtered, count.quarantined),
        tuple(connection.execute(query_of(source)).fetchall()),
        tuple(line for (line,) in lines),
    )


def spoil_bytes(draw, lines, _separator):
    """Replace a few bytes of one line by random ones; return the lines and the places of those that changed."""
    at = draw(st.integers(0, len(lines) - 1))
    line = bytearray(lines[at])
    for _ in range(draw(st.integers(1, 4))):
        line[draw(st.integers(0, len(line) - 1))] = draw(st.integers(0, 255))
    return [*lines[:at], bytes(line), *lines[at + 1 :]], {at, at + 1}


def cut_line(draw, lines, _separator):
    """Cut the end of one line, sometimes with its line feed."""
    at = draw(st.integers(1, len(lines) - 1))
    start = lines[at][: draw(st.integers(0, len(lines[at]) - 1))]
    end = b"\n" if draw(st.booleans()) else b""
    return [*lines[:at], start + end, *lines[at + 1 :]], {at, at + 1}


def swap_cells(draw, lines, separator):
    """Exchange two cells of one line."""
    at = draw(st.integers(1, len(lines) - 1))
    cells = lines[at].rstrip(b"\r\n").split(separator)
    i, j = (draw(st.integers(0, len(cells) - 1)) for _ in range(2))
    cells[i], cells[j] = cells[j], cells[i]
    return [*lines[:at], separator.join(cells) + b"\n", *lines[at + 1 :]], {at}


def open_quote(draw, lines, separator):
    """Insert a quote: at the start of a cell it is never closed."""
    at = draw(st.integers(1, len(lines) - 1))
    cells = lines[at].split(separator)
    i = draw(st.integers(0, len(cells) - 1))
    cells[i] = b'"' + cells[i] if draw(st.booleans()) else cells[i][:1] + b'"' + cells[i][1:]
    # Only a later quote can close the cell, and make a record of several lines.
    taken = {at} if b'"' not in b"".join(lines) else set(range(at, len(lines)))
    return [*lines[:at], separator.join(cells), *lines[at + 1 :]], taken


def absurd_cell(draw, lines, separator):
    """Replace a cell by an unusual text."""
    at = draw(st.integers(1, len(lines) - 1))
    cells = lines[at].rstrip(b"\r\n").split(separator)
    absurd = [b"", b"31/02/2024", b"2024-13-01", b"99999999999999999999", b"-1e308", b"1e400", b"nan", b"inf", b"1_000",
              b" 12", b"0x1F", "é".encode(), b"0" * 400, b"=1+1", b"'", b"\t", b"12,5.3"]  # fmt: skip
    cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(absurd))
    return [*lines[:at], separator.join(cells) + b"\n", *lines[at + 1 :]], {at}


def double(draw, lines, _separator):
    """Deliver some lines twice."""
    at = draw(st.integers(1, len(lines) - 1))
    return [*lines, *lines[at:]], set(range(at, len(lines)))


SPOILINGS = (spoil_bytes, cut_line, swap_cells, open_quote, absurd_cell, double)


@pytest.mark.parametrize("name", SPOILED)
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_is_refused_or_every_record_has_an_outcome(delivered, connection, tmp_path_factory, name, data):
    source = BY_NAME[name]
    lines = [line if line.endswith(b"\n") else line + b"\n" for line in delivered[name]]
    folder = tmp_path_factory.mktemp("spoiled")
    spoiling = data.draw(st.sampled_from(SPOILINGS))
    spoiled, touched = spoiling(data.draw, lines, source.separator.encode())
    found = read(connection, source, folder, b"".join(spoiled))
    if found.fault:
        assert found.fault.startswith(source.names[0])
        return
    records, accepted, filtered, quarantined = found.counts
    assert records == accepted + filtered + quarantined
    # Each quarantined record has a reason and a line of the file.
    assert len(set(found.refused_lines)) == quarantined
    assert all(1 < line <= len(b"".join(spoiled).splitlines()) for line in found.refused_lines)
    if b'"' not in b"".join(spoiled):
        assert records == sum(1 for line in b"".join(spoiled).split(b"\n")[1:] if line.rstrip(b"\r"))
    if not source.wide:
        assert len(found.rows) == accepted
    if 0 not in touched and not source.unique and not source.keeps_line:
        # The rows of all other lines are unchanged.
        alone = read(connection, source, folder, b"".join(line for at, line in enumerate(lines) if at not in touched))
        assert not Counter(alone.rows) - Counter(found.rows)


def test_the_undamaged_files_are_valid(delivered, connection, tmp_path):
    for name, lines in delivered.items():
        found = read(connection, BY_NAME[name], tmp_path, b"".join(lines))
        assert (found.fault, found.counts[0], found.counts[3]) == (None, len(lines) - 1, 0), name


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_cut_or_damaged_archive_never_yields_part_of_a_file(delivered, tmp_path_factory, data):
    source = BY_NAME["cotisation"]
    archive = bytearray(gzip.compress(b"".join(delivered["cotisation"]), mtime=0))
    if data.draw(st.booleans()):
        archive = archive[: data.draw(st.integers(0, len(archive) - 1))]
    else:
        # After the ten bytes of the header, whose date and flags do not depend on the content.
        archive[data.draw(st.integers(10, len(archive) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("archive") / "sigfaible_cotisdues.csv.gz"
    path.write_bytes(archive)
    fault = inspect(path, source).fault
    assert fault is not None
    assert fault.startswith(path.name)
