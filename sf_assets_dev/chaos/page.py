"""`sf chaos`: plays the trial on each kind of catalog, and writes the table of what was found."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sf_assets.engine.storage import Warehouse
from sf_assets_dev.chaos.trial import Outcome, Trial
from sf_assets_dev.servers.postgres import postgres

_INTRODUCTION = """\
# Killed writers

`make chaos` kills processes that replace months of two tables, at moments that a seed draws, and looks after each kill. A
month is *torn* when its rows are of two writes, incomplete, not of the same write in both tables, or when a transaction is
in some of its months only. A row is *doubled* when its key is there twice. A lock is *left* when no other process can take it
within ten seconds. At the end every month is written once more, and must hold the rows of an undisturbed writer. A writer
whose server is restarted goes on by itself, or gives up and is *started again*, as an operator does with the failed run.
`sf chaos --kills {kills} --seed {seed} --page docs/chaos.md` writes this page, and fails when a row does not end well.

The mishaps that operators meet are lived by `make life`.

"""
_RESTARTS = 4  # kills for one restart of the server, which takes as long as several kills


def play(*, kills: int, seed: int, rows: int, page: Path | None) -> Iterator[str]:
    """Play the trial on each catalog; yield a line per kind of accident, and write the page when all of them ended well.

    Raises:
        NoServer: PostgreSQL is not installed.
        SystemExit: a month was torn, a row doubled, a lock left, or the rows at the end differ.

    """
    found: list[tuple[str, Outcome]] = []
    with tempfile.TemporaryDirectory(prefix="sf_chaos_") as folder, postgres() as server:
        catalogs = {
            "SQLite": str(Path(folder) / "sqlite" / "catalog.sqlite"),
            "PostgreSQL": f"postgres:{server.dsn}",
        }
        for name, catalog in catalogs.items():
            tables = str(Path(folder) / name / "tables")
            trial = Trial(Warehouse(catalog=catalog, data_path=tables, memory_limit="1GB", threads=1), seed, rows)
            outcomes = trial.kills(kills)
            if name == "PostgreSQL":
                outcomes.append(trial.restarts(max(1, kills // _RESTARTS), server.restart))
            for outcome in outcomes:
                found.append((name, outcome))
                yield f"{name}: {line_of(outcome)}"
    if wrong := [f"{name}: {line_of(outcome)}" for name, outcome in found if not outcome.ended_well]:
        raise SystemExit(
            f"expected nothing torn, doubled or locked, and the same rows at the end, found: {'; '.join(wrong)}"
        )
    if page:
        text = _INTRODUCTION.format(kills=kills, seed=seed) + "\n".join(_table(found)) + "\n"
        page.write_text(text, encoding="utf-8")


def line_of(outcome: Outcome) -> str:
    """Return an outcome in one line."""
    return (
        f"{outcome.name}, {outcome.strokes} times: {outcome.torn} torn, {outcome.doubled} doubled, {outcome.locked} locks left "
        f"(free within {outcome.slowest:.1f} s), {outcome.again} started again, "
        f"{'the same' if outcome.same else 'OTHER'} rows at the end"
    )


def _table(found: Sequence[tuple[str, Outcome]]) -> Iterator[str]:
    yield "| catalog | what happened | times | torn months | doubled rows | locks left | started again | rows at the end |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, one in found:
        yield (
            f"| {name} | {one.name} | {one.strokes} | {one.torn} | {one.doubled} | {one.locked} | {one.again} | "
            f"{'the same' if one.same else 'other'} |"
        )
