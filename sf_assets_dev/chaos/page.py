"""`sf chaos`: plays the trial on each kind of catalog and of store, and writes the table of what was found."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.objects import ObjectStore
from sf_assets_dev.chaos.month import play_month
from sf_assets_dev.chaos.together import replace_together
from sf_assets_dev.chaos.trial import Outcome, Trial
from sf_assets_dev.servers.postgres import Postgres, create_database, postgres
from sf_assets_dev.servers.seaweedfs import SeaweedFS, create_bucket, object_server

_INTRODUCTION = """\
# Killed writers, disturbed servers

`make chaos` kills processes that replace months of two tables, at moments that a seed draws, and looks after each kill. A
month is *torn* when its rows are of two writes, incomplete, not of the same write in both tables, or when a transaction is
in some of its months only. A row is *doubled* when its key is there twice. A lock is *left* when no other process can take it
within ten seconds. At the end every month is written once more, and must hold the rows of an undisturbed writer.

Before that, eight processes replace the same forty months, each starting at another one: every month must hold the rows of one
of them, and every write be a snapshot of its own.

Servers are disturbed under a writer, which goes on by itself, or gives up and is *started again*, as an operator does with the
failed run. PostgreSQL is restarted as after a crash. The object store (S3: SeaweedFS, tables only) is restarted, for which
SeaweedFS takes a quarter of a minute, or refuses every request for up to thirty seconds before. In the last row a whole month
runs on open data, a batch and its scores, while the store refuses for thirty seconds in each of the two runs; it is compared with
the month of one machine.
`sf chaos --kills {kills} --seed {seed} --page docs/chaos.md` writes this page, and fails when a row does not end well.

The mishaps that operators meet are lived by `make life`.

"""
SQLITE, POSTGRES, STORE = "SQLite", "PostgreSQL", "PostgreSQL, S3"
_LONGEST_SECONDS = 30.0
# Months that eight processes replace at once.
_SHARED_MONTHS = 40
# Kills for one disturbance of a server, which takes as long as several kills.
_PER_RESTART, _PER_OUTAGE = 4, 10


def play(*, kills: int, seed: int, rows: int, page: Path | None) -> Iterator[str]:
    """Play the trial on each catalog and store; yield a line per kind of accident, and write the page when all ended well.

    Raises:
        NoServer: PostgreSQL or SeaweedFS is not installed.
        SystemExit: a month was torn, a row doubled, a lock left, or the rows at the end differ.

    """
    found: list[tuple[str, Outcome]] = []
    with (
        tempfile.TemporaryDirectory(prefix="sf_chaos_") as folder,
        postgres() as server,
        object_server() as store,
    ):
        for name, warehouse in _warehouses(Path(folder), server, store):
            outcome = replace_together(warehouse, _SHARED_MONTHS)
            found.append((name, outcome))
            yield f"{name}: {line_of(outcome)}"
            trial = Trial(warehouse, seed, rows)
            for outcome in trial.kills(kills):
                found.append((name, outcome))
                yield f"{name}: {line_of(outcome)}"
            for outcome in _disturbed(trial, name, kills, server, store):
                found.append((name, outcome))
                yield f"{name}: {line_of(outcome)}"
        outcome = yield from play_month(
            Path(folder),
            dsn=server.dsn,
            keys=store.variables,
            seed=seed,
            disturb=lambda: _refuse(store, _LONGEST_SECONDS),
        )
        found.append((STORE, outcome))
        yield f"{STORE}: {line_of(outcome)}"
    if wrong := [f"{name}: {line_of(outcome)}" for name, outcome in found if not outcome.ended_well]:
        raise SystemExit(
            f"expected nothing torn, doubled or locked, and the same rows at the end, found: {'; '.join(wrong)}"
        )
    if page:
        text = _INTRODUCTION.format(kills=kills, seed=seed) + "\n".join(_table(found)) + "\n"
        page.write_text(text, encoding="utf-8")
        yield f"rewritten: {page}"


def _refuse(store: SeaweedFS, seconds: float) -> None:
    """Let an object store refuse for some seconds, and start it again."""
    store.stop()
    time.sleep(seconds)
    store.start()


def _warehouses(folder: Path, server: Postgres, store: SeaweedFS) -> Iterator[tuple[str, Warehouse]]:
    catalogs = {
        SQLITE: str(folder / "sqlite" / "catalog.sqlite"),
        POSTGRES: f"postgres:{server.dsn}",
        STORE: f"postgres:{create_database(server.dsn, 'store')}",
    }
    for name, catalog in catalogs.items():
        remote = name == STORE
        yield (
            name,
            Warehouse(
                catalog=catalog,
                data_path=create_bucket(store.variables, "lake") if remote else str(folder / name / "tables"),
                memory_limit="1GB",
                threads=1,
                objects=ObjectStore.of_variables(store.variables) if remote else None,
            ),
        )


def _disturbed(trial: Trial, name: str, kills: int, server: Postgres, store: SeaweedFS) -> Iterator[Outcome]:
    if name == SQLITE:
        return
    restarts, outages = max(1, kills // _PER_RESTART), max(1, kills // _PER_OUTAGE)
    yield trial.disturbances("PostgreSQL restarted under a writer", restarts, lambda _: server.restart())
    if name == STORE:
        yield trial.disturbances("S3 restarted under a writer", outages, lambda _: store.restart())
        yield trial.disturbances(
            "S3 refuses for up to 30 s", outages, lambda draw: _refuse(store, draw.uniform(0, _LONGEST_SECONDS))
        )


def line_of(outcome: Outcome) -> str:
    """Return an outcome in one line."""
    return (
        f"{outcome.name}, {outcome.strokes} times: {outcome.torn} torn, {outcome.doubled} doubled, {outcome.locked} locks left "
        f"(free within {outcome.slowest:.1f} s), {outcome.again} started again, "
        f"{'the same' if outcome.same else 'OTHER'} rows at the end"
    )


def _table(found: Sequence[tuple[str, Outcome]]) -> Iterator[str]:
    yield "| catalog, store | what happened | times | torn months | doubled rows | locks left | started again | rows at the end |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, one in found:
        yield (
            f"| {name} | {one.name} | {one.strokes} | {one.torn} | {one.doubled} | {one.locked} | {one.again} | "
            f"{'the same' if one.same else 'other'} |"
        )
