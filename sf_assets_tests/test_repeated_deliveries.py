"""Files of an earlier month delivered again are detected, whatever their size, packing and line ends."""

import dataclasses
import gzip
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from sf_assets.engine.quality.rules import Outcome
from sf_assets.engine.storage import Warehouse, frame_of
from sf_assets.sources.arrival import ARRIVALS, inspect
from sf_assets.sources.registry import BY_NAME
from sf_assets.sources.suites import suite_of_source
from sf_assets.sources.tolerances import FEW_EVENTS, FEW_LINES

SEPTEMBER, OCTOBER = date(2025, 9, 1), date(2025, 10, 1)
PROCOL = BY_NAME["procol"]
HEADER = b"Siret;Siren;Dt_effet;Cat_v2;Lib_actx_stdx\n"
LINE = b"51234567800019;512345678;26MAY2014;1;x\n"


def crlf(path: Path, content: bytes) -> Path:
    path.write_bytes(content.replace(b"\n", b"\r\n") + b"\r\n")
    return path


def marked(path: Path, content: bytes) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + content)
    return path


def gzipped(path: Path, content: bytes) -> Path:
    path = path.with_name(f"{path.name}.gz")
    path.write_bytes(gzip.compress(content, mtime=5))
    return path


def zipped(path: Path, content: bytes) -> Path:
    path = path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export.csv", content)
    return path


def plain(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def outcomes(warehouse: Warehouse, files: dict[date, Path], month: date) -> dict[str, Outcome]:
    """Return the outcome of the probes of repeated files, each month having one file."""
    with warehouse.session() as session:
        for delivered, path in files.items():
            rows = frame_of(ARRIVALS, [dataclasses.asdict(inspect(path, PROCOL))])
            session.connection.register("arrived", rows.to_arrow())
            session.replace(
                {ARRIVALS: "select * from arrived"},
                where={"month": delivered, "source": "procol"},
                author="test",
                message="test",
            )
        probes = {probe.name: probe for probe in suite_of_source(PROCOL).probes}
        assert (probes["new"].severity, probes["small_and_new"].severity) == ("error", "warning")
        return {name: probes[name].run(session, month) for name in ("new", "small_and_new")}


@pytest.mark.parametrize("again", [plain, crlf, marked, gzipped, zipped])
@pytest.mark.parametrize("lines", [1, FEW_EVENTS - 1, FEW_EVENTS, 2935])
def test_the_same_content_is_refused_when_large_and_noted_when_small(
    warehouse: Warehouse, tmp_path: Path, again: Callable[[Path, bytes], Path], lines: int
) -> None:
    content = HEADER + LINE * lines
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first = plain(tmp_path / "a" / "sigfaible_pcoll.csv", content)
    second = again(tmp_path / "b" / "sigfaible_pcoll.csv", content)
    found = outcomes(warehouse, {SEPTEMBER: first, OCTOBER: second}, OCTOBER)
    large = inspect(second, PROCOL).lines > FEW_EVENTS
    assert (found["new"].passed, found["small_and_new"].passed) == (not large, large)
    (sample,) = found["new" if large else "small_and_new"].sample
    assert sample == {"file": second.name, "delivered_in": "2025-09"}


def test_another_content_or_a_header_alone_is_no_repetition(warehouse: Warehouse, tmp_path: Path) -> None:
    first = plain(tmp_path / "a.csv", HEADER + LINE * 2000)
    other = plain(tmp_path / "b.csv", HEADER + LINE * 1999 + LINE.replace(b"26", b"27", 1))
    found = outcomes(warehouse, {SEPTEMBER: first, OCTOBER: other}, OCTOBER)
    assert [outcome.passed for outcome in found.values()] == [True, True]
    names = plain(tmp_path / "c.csv", HEADER)
    found = outcomes(warehouse, {SEPTEMBER: names, OCTOBER: names}, OCTOBER)
    assert [outcome.passed for outcome in found.values()] == [True, True]


def test_a_small_register_may_be_unchanged_for_a_month() -> None:
    statements = {
        name: next(probe.meaning for probe in suite_of_source(BY_NAME[name]).probes if probe.name == "new")
        for name in ("sirene", "debit")
    }
    assert f"{FEW_LINES:,}" in statements["sirene"]
    assert f"{FEW_EVENTS:,}" in statements["debit"]
