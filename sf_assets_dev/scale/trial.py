"""`make scale`: the same month with PostgreSQL, an object store and runs side by side as on one machine, and compared with it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.objects import ObjectStore
from sf_assets.engine.storage.warehouse import close_idle
from sf_assets.operations.launching import first_known
from sf_assets.settings import PREFIX, Settings, warehouse_of
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.scale.comparison import checksums, differences
from sf_assets_dev.servers.postgres import create_database, postgres
from sf_assets_dev.servers.seaweedfs import create_bucket, seaweedfs
from sf_assets_dev.synthetic import write_batch

_HOURS_AT_MOST = 2
_VARIABLES = ("AWS_", PREFIX, "DAGSTER_HOME")

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Site:
    """One way to run the months: the variables of its processes, its folder of data, its warehouse and its files."""

    name: str
    data: Path
    variables: Mapping[str, str]
    warehouse: Warehouse
    folders: Folders

    def start(
        self, job: str, first: date, last: date | None = None, *, data: Path | None = None
    ) -> "subprocess.Popen[str]":
        """Start a job of this site in a process of its own; `data` is another folder of data, of a run beside others."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_VARIABLES)}
        command = [sys.executable, "-m", "sf_assets", "run", job, f"{first:%Y-%m}"]
        command += ["--until", f"{last:%Y-%m}"] if last else []
        return subprocess.Popen(  # noqa: S603 - our own command
            command,
            env=clean | dict(self.variables) | {"SF_DATA_DIR": str(data or self.data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def wait(runs: Sequence["subprocess.Popen[str]"]) -> None:
    """Wait for the end of runs.

    Raises:
        RuntimeError: a run failed; with the last lines that it wrote.

    """
    try:
        for run in runs:
            said, _ = run.communicate(timeout=_HOURS_AT_MOST * 3600)
            if run.returncode:
                raise RuntimeError(f"expected every run to succeed, found one that failed: {said[-2000:]}")
    finally:
        for run in runs:
            if run.poll() is None:
                run.kill()
                run.wait()


def halves(first: date, last: date, parts: int) -> list[Span]:
    """Cut a range of months into parts of about the same length.

    >>> halves(date(2025, 1, 1), date(2025, 5, 1), 2)
    [(datetime.date(2025, 1, 1), datetime.date(2025, 2, 1)), (datetime.date(2025, 3, 1), datetime.date(2025, 5, 1))]
    """
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    edges = [months * part // parts for part in range(parts + 1)]
    return [(add_months(first, start), add_months(first, end - 1)) for start, end in pairwise(edges) if end > start]


def embedded(folder: Path, common: Mapping[str, str]) -> Site:
    """Return a site with the default of one machine: SQLite, files and tables in a folder."""
    settings = Settings.model_validate({"data_dir": folder, "threads": 1})
    return Site("embedded", folder, common, warehouse_of(settings), settings.folders)


def remote(
    name: str, folder: Path, common: Mapping[str, str], *, catalog: str, bucket: str, keys: Mapping[str, str]
) -> Site:
    """Return a site whose catalog is in PostgreSQL, and whose tables and files are in an object store."""
    tables, files = f"{bucket}/tables", f"{bucket}/files"
    places = {"SF_CATALOG": f"postgres:{catalog}", "SF_TABLES": tables, "SF_FILES": files}
    objects = ObjectStore.of_variables(keys)
    warehouse = Warehouse(f"postgres:{catalog}", tables, threads=1, objects=objects, memory_limit="1GB")
    folders = Folders.below(folder, shared=(objects, files))
    return Site(name, folder, {**common, **places, **keys}, warehouse, folders)


def play(month: date, *, companies: int, years: int, seed: int) -> Iterator[str]:
    """Run a month, its history by one and by two processes, and its list; yield what was seen, line by line.

    Raises:
        SystemExit: rows or bytes differ from those of the embedded default.
        RuntimeError: a run failed.

    """
    common = {
        "SF_PERIMETER_MONTHS": str(12 * years),
        "SF_THREADS": "1",
        "SF_MEMORY_LIMIT": "1GB",
        "OMP_NUM_THREADS": "1",
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sf_scale_")))
        dsn, keys = stack.enter_context(postgres()).dsn, stack.enter_context(seaweedfs())
        bucket = create_bucket(keys, "lake")
        one = embedded(folder / "embedded", common)
        rows = write_batch(
            one.data / "incoming" / batch_key(month), month=month, companies=companies, seed=seed, years=years
        )
        yield f"{companies} companies, {years} years, {sum(rows.values()):,} lines; PostgreSQL and SeaweedFS are started"
        many = remote(
            "two runs",
            folder / "remote",
            common,
            catalog=create_database(dsn, "lake_two"),
            bucket=bucket,
            keys=keys,
        )
        deliver(one, many, month)
        for site in (one, many):
            started = time.monotonic()
            wait([site.start("batch", month)])
            yield f"batch, {site.name}: {time.monotonic() - started:.0f} s"
        first = first_known(one.warehouse, month, Settings.model_validate({"perimeter_months": 12 * years}).parameters)
        last = add_months(month, -1)
        # The copy of the catalog has the same files: both histories start from the same batch in the same store.
        close_idle()  # PostgreSQL copies a database that nobody uses
        single = remote(
            "one run",
            folder / "single",
            common,
            catalog=create_database(dsn, "lake_one", template="lake_two"),
            bucket=bucket,
            keys=keys,
        )
        seconds: dict[str, float] = {}
        for site, spans in ((one, [(first, last)]), (single, [(first, last)]), (many, halves(first, last, 2))):
            started = time.monotonic()
            # Two runs are two machines, each with copies of its own; one machine keeps everything in its folder.
            places = [None] if site is one else [folder / f"{site.name} {n}" for n in range(len(spans))]
            wait([site.start("history", *span, data=place) for span, place in zip(spans, places, strict=True)])
            seconds[site.name] = time.monotonic() - started
            yield f"history of {first:%Y-%m} to {last:%Y-%m}, {site.name}: {seconds[site.name]:.0f} s"
        yield f"two runs take {seconds['two runs'] / seconds['one run']:.2f} of the time of one, in the same store"
        for site in (one, many):
            wait([site.start("score", month)])
        wrong = yield from compared(one, many, month)
    if wrong:
        raise SystemExit(f"expected the rows and bytes of the embedded default, found others: {', '.join(wrong)}")


def deliver(one: Site, other: Site, month: date) -> None:
    """Deliver the files of one site to the other."""
    shutil.copytree(one.folders.incoming.root, other.folders.incoming.root, copy_function=shutil.copy2)
    other.folders.incoming.share(month)


def compared(one: Site, other: Site, month: date) -> Generator[str, None, list[str]]:
    """Yield the comparison of two sites: tables, then the files of the month's list; return what differs."""
    wrong, total, tables = [], 0, 0
    for table in differences(one.warehouse, other.warehouse):
        total, tables = total + table.rows, tables + 1
        if table.only_first or table.only_second:
            wrong.append(table.table)
            yield f"{table.table}: {table.only_first} rows only in {one.name}, {table.only_second} only in {other.name}"
    yield f"{tables} tables, {total:,} rows, {len(wrong)} tables different"
    found, expected = (checksums(site.folders.lists.of(month) / batch_key(month)) for site in (other, one))
    changed = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    yield f"list of {month:%Y-%m}: {len(expected)} files, {len(changed)} different {' '.join(changed)}".rstrip()
    return [*wrong, *changed, *(() if expected else ("no list",))]
