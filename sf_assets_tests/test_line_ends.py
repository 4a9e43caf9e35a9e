"""Line ends of a large text that DuckDB reads in parallel: every line is read with its number."""

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


# A step reads within the transaction in which its gate looked: identifiers of rows start elsewhere there.
@pytest.mark.parametrize("transaction", [False, True])
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
def test_every_line_is_read_with_its_number_whatever_the_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: list[str], *, zipped: bool, transaction: bool
) -> None:
    # Chunks of 128 KiB instead of 32 MiB make twenty of them; a file for the whole country has a hundred.
    monkeypatch.setattr(records, "LONGEST_LINE", 1 << 16)
    lines = lines_of(100_000)
    text = "".join(line + ends[n % len(ends)] for n, line in enumerate(lines))
    path = tmp_path / ("lines.csv.gz" if zipped else "lines.csv")
    path.write_bytes(gzip.compress(text.encode(), 1) if zipped else text.encode())
    with duckdb.connect(config={"threads": 2}) as connection:
        if transaction:
            connection.execute("begin")
        records.read_records(connection, path, separator=";", lenient=False, header_line=1, width=WIDTH)
        found = connection.execute("select line, raw, fault from records order by line").fetchall()
    numbered = enumerate(text.split("\n"), start=1)
    expected = [(n, line.removesuffix("\r"), None) for n, line in numbered if line.removesuffix("\r")]
    assert found == expected[1:]
    assert len(found) == len(lines) - 1


@pytest.mark.parametrize("transaction", [False, True])
def test_a_record_of_several_lines_takes_the_place_of_its_lines(tmp_path: Path, *, transaction: bool) -> None:
    path = tmp_path / "lines.csv"
    path.write_text('a;b;c\n1;"x\ny";2\n3;z;4\n')
    with duckdb.connect(config={"threads": 1}) as connection:
        if transaction:
            connection.execute("begin")
        for _ in range(2):
            records.read_records(connection, path, separator=";", lenient=False, header_line=1, width=WIDTH)
            found = connection.execute("select line, raw from records order by line").fetchall()
            assert found == [(2, '1;"x\ny";2'), (4, "3;z;4")]
