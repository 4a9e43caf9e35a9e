"""Lines of a large text, cut by the engine in many pieces at once: each is there, in its place, whatever ends it."""

import gzip
import random
from pathlib import Path

import duckdb
import pytest

from sf_assets.staging import records

HEADER, WIDTH = "a;b;c", 3


def lines_of(count: int) -> list[str]:
    draw = random.Random(7)  # noqa: S311 - any lines of all lengths will do
    return [HEADER, *(f"{n};{'x' * draw.randrange(40)};{draw.randrange(10**6)}" for n in range(count))]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "ends",
    [
        pytest.param(["\n"], id="lf"),
        pytest.param(["\r\n"], id="crlf"),
        pytest.param(["\n", "\r\n"], id="either"),
        pytest.param(["\n", "\n", "\n\n"], id="blank lines"),
        pytest.param(["\r\n", "\n\r\n"], id="blank lines of either"),
    ],
)
def test_every_line_is_read_in_its_place_whatever_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: list[str], *, zipped: bool
) -> None:
    # Pieces of 128 KiB instead of 32 MiB: twenty of them, where a file of the country's size has a hundred.
    monkeypatch.setattr(records, "_LONGEST_LINE", 1 << 16)
    lines = lines_of(100_000)
    text = "".join(line + ends[n % len(ends)] for n, line in enumerate(lines))
    path = tmp_path / ("lines.csv.gz" if zipped else "lines.csv")
    path.write_bytes(gzip.compress(text.encode(), 1) if zipped else text.encode())
    with duckdb.connect(config={"threads": 2}) as connection:
        records.read_records(connection, path, separator=";", lenient=False, header_line=1, width=WIDTH)
        found = connection.execute("select line, raw, fault from records order by line").fetchall()
    numbered = enumerate(text.split("\n"), start=1)
    expected = [(n, line.removesuffix("\r"), None) for n, line in numbered if line.removesuffix("\r")]
    assert found == expected[1:]
    assert len(found) == len(lines) - 1


def test_lines_are_numbered_from_one_in_a_transaction_that_is_still_open(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(f'{HEADER}\n1;"two\nlines";x\n2;"quoted";y\n3;plain;z\n')
    with duckdb.connect() as connection:
        for _ in range(2):
            connection.begin()
            records.read_records(connection, path, separator=";", lenient=False, header_line=1, width=WIDTH)
            found = connection.execute("select line, fields from records order by line").fetchall()
            connection.commit()
            assert found == [(2, ["1", "two\nlines", "x"]), (4, ["2", "quoted", "y"]), (5, ["3", "plain", "z"])]
