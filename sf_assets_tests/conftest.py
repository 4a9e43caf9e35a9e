"""A browser, and warehouses to test on: SQLite in a folder, private servers of PostgreSQL and of S3."""

import gc
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.objects import ObjectStore
from sf_assets_dev.servers.missing import NoServer
from sf_assets_dev.servers.postgres import create_database, postgres
from sf_assets_dev.servers.seaweedfs import create_bucket, seaweedfs
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


def pytest_collection_finish() -> None:
    """Leave modules and collected tests out of every later garbage collection."""
    gc.collect()
    gc.freeze()


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
    try:
        with postgres() as server:
            yield server.dsn
    except NoServer as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def object_store() -> Iterator[dict[str, str]]:
    """Start an S3 server on a free port of the loopback, and stop it at the end; return the variables that open it."""
    try:
        with seaweedfs() as variables:
            yield variables
    except NoServer as missing:
        pytest.skip(str(missing))


@pytest.fixture
def postgres_warehouse(postgres_dsn: str, tmp_path: Path) -> Warehouse:
    """Return a warehouse whose catalog is a database of its own."""
    return _warehouse_in(tmp_path, f"postgres:{create_database(postgres_dsn, f'warehouse_{next(_databases)}')}")


@pytest.fixture
def remote_warehouse(postgres_warehouse: Warehouse, object_store: dict[str, str]) -> Warehouse:
    """Return a warehouse whose catalog is in PostgreSQL, and whose files are below an address of their own in S3."""
    address = f"{create_bucket(object_store, f'bucket{next(_databases)}')}/some/place"
    return replace(postgres_warehouse, data_path=address, objects=ObjectStore.of_variables(object_store))


@pytest.fixture(params=["sqlite", "postgres"])
def either_warehouse(request: pytest.FixtureRequest) -> Warehouse:
    """Return a warehouse of each kind in turn."""
    name = "warehouse" if request.param == "sqlite" else "postgres_warehouse"
    found: Warehouse = request.getfixturevalue(name)
    return found


def _warehouse_in(folder: Path, catalog: str) -> Warehouse:
    return Warehouse(catalog=catalog, data_path=str(folder / "tables"), temp_directory=str(folder / "spill"), threads=1)
