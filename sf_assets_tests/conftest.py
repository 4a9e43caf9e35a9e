"""A browser, and warehouses to test on: SQLite in a folder, and a private PostgreSQL server."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sf_assets.engine.storage import Warehouse
from sf_assets_tests.runs import load_once

# Two test processes share two cores: threads of one that wait for each other, spinning, would take them from the other. For
# the same reason tests give DuckDB one thread.
os.environ["OMP_NUM_THREADS"] = "1"

# Files whose few tests take longest: started last, one of them would keep one process busy while the other has nothing left.
LONGEST = ("month", "faults", "clean_year", "excerpt", "evaluate", "quarantine", "publication", "storage")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_databases = count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    rank = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Open a browser, without a window; skip the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: install the extra `dev`")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} (Debian package chromium)")
    with playwright.sync_playwright() as engine:
        # A browser that runs as root has no sandbox; it only sees our own pages.
        launched = engine.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def loaded_month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of a deployment that loaded a month; tests work on copies."""
    return load_once(tmp_path_factory.getbasetemp())


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return _warehouse_in(tmp_path, str(tmp_path / "catalog.sqlite"))


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """Start a PostgreSQL server on a socket of its own, and stop it at the end."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("no PostgreSQL server in /usr/lib/postgresql (Debian package postgresql)")
    # The folder of pytest is closed to other users, and a server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="sf_postgres_"))
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [found[-1].parent / program, *arguments],
            user=user,
            extra_groups=() if user else None,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    data = folder / "data"
    try:
        run("initdb", "-D", str(data), "-U", "sf", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run("pg_ctl", "start", "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options)
        yield f"host={folder} user=sf dbname=postgres"
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "stop", "-D", str(data), "-m", "immediate")
        shutil.rmtree(folder)


@pytest.fixture
def postgres_warehouse(postgres_dsn: str, tmp_path: Path) -> Warehouse:
    """Return a warehouse whose catalog is a database of its own."""
    name = f"warehouse_{next(_databases)}"
    subprocess.run(["psql", "-q", "-d", postgres_dsn, "-c", f"create database {name}"], check=True)
    dsn = postgres_dsn.replace("dbname=postgres", f"dbname={name}")
    return _warehouse_in(tmp_path, f"postgres:{dsn}")


@pytest.fixture(params=["sqlite", "postgres"])
def either_warehouse(request: pytest.FixtureRequest) -> Warehouse:
    """Return a warehouse of each kind in turn."""
    name = "warehouse" if request.param == "sqlite" else "postgres_warehouse"
    found: Warehouse = request.getfixturevalue(name)
    return found


def _warehouse_in(folder: Path, catalog: str) -> Warehouse:
    return Warehouse(catalog=catalog, data_path=str(folder / "tables"), temp_directory=str(folder / "spill"), threads=1)
