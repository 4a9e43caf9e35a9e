"""Where Dagster keeps its runs when nobody says, and what `make clean` may remove."""

import os
import shutil
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sf_assets.commands import home
from sf_assets.settings import PREFIX, Settings
from sf_assets_dev import demo

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of data, in an environment that says nothing else."""
    for name in [name for name in os.environ if name.startswith((PREFIX, "DAGSTER"))]:
        monkeypatch.delenv(name)
    # What the tested code sets goes away with the test.
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv(f"{PREFIX}DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    return tmp_path / "data"


def test_without_a_home_runs_are_stored_beside_the_data_without_telemetry(bare: Path) -> None:
    with home.instance() as instance:
        assert instance.is_persistent
        assert instance.root_directory == str(bare / "dagster")
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
    assert stat.S_IMODE(bare.stat().st_mode) == 0o700


def test_a_home_that_is_named_is_left_unchanged(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(bare / "named"))
    assert home.ensure_home() == bare / "named"
    assert not bare.exists()


def test_dg_launch_without_a_home_stores_its_run_and_sends_nothing(bare: Path, tmp_path: Path) -> None:
    # As the installed package does, at the start of each Python of its environment.
    shutil.copy(ROOT / "sf_assets_home.pth", tmp_path)
    (tmp_path / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(tmp_path)!r})")
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{ROOT}"
    finished = subprocess.run(
        [PROGRAMS / "dg", "launch", "--assets", "status"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert not list((tmp_path / "user").rglob("*"))
    with home.instance() as instance:
        assert instance.get_runs_count() == 1


@pytest.fixture
def demonstration(tmp_path: Path) -> Path:
    """Return a copy of the Makefile beside what a demonstration made, and the files of a partner in another folder."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    demo = tmp_path / "data" / "demo"
    for path in ("data/demo/incoming/2610/debits.csv", "data/demo/warehouse/x.parquet", "data/incoming/2610/vrai.csv"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("x")
    (demo / "oracle").mkdir()
    frozen = demo / "published" / "2610" / "v1"
    frozen.mkdir(parents=True)
    (frozen / "liste.csv").write_text("x")
    frozen.chmod(0o500)
    checksum = subprocess.run(["sha256sum", "incoming/2610/debits.csv"], cwd=demo, capture_output=True, check=True)
    (demo / "oracle" / "2610.sha256").write_bytes(checksum.stdout)
    return tmp_path


def clean(folder: Path, answer: str) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return subprocess.run(
        ["make", "clean"], cwd=folder, env=environment, input=answer, text=True, check=False
    ).returncode


def test_clean_removes_the_demonstration_and_no_file_of_a_partner(demonstration: Path) -> None:
    assert clean(demonstration, "") == 0
    assert not (demonstration / "data" / "demo").exists()
    assert (demonstration / "data" / "incoming" / "2610" / "vrai.csv").exists()


@pytest.mark.parametrize(
    "name",
    ["incoming/2611/vrai.csv", "incoming/2610/vrai.csv", "incoming/2610/debits.csv", "recu/vrai.csv", "vrai.csv"],
)
@pytest.mark.parametrize(("answer", "removed"), [("", False), ("n\n", False), ("y\n", True)])
def test_clean_asks_before_a_file_that_the_demonstration_did_not_make(
    demonstration: Path, name: str, answer: str, *, removed: bool
) -> None:
    path = demonstration / "data" / "demo" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("from a partner")
    assert (clean(demonstration, answer) == 0) is removed
    assert path.exists() is not removed


def test_clean_removes_nothing_else_when_the_folder_of_the_project_has_a_blank_in_its_name(
    demonstration: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parent = tmp_path_factory.mktemp("blank")
    of_partners = parent / "projets"
    of_partners.mkdir()
    folder = demonstration.rename(parent / "projets sf")
    assert clean(folder, "") == 0
    assert not (folder / "data" / "demo").exists()
    assert of_partners.exists()


def test_the_demonstration_lists_the_files_that_it_wrote(tmp_path: Path) -> None:
    demo._write_world(Settings(data_dir=tmp_path), date(2026, 10, 1), companies=20, seed=1)
    finished = subprocess.run(
        ["sha256sum", "--check", "oracle/2610.sha256"], cwd=tmp_path, check=False, capture_output=True
    )
    assert finished.returncode == 0
    listed = (tmp_path / "oracle" / "2610.sha256").read_text().splitlines()
    assert len(listed) == sum(path.is_file() for path in (tmp_path / "incoming").rglob("*")) > 10
