"""`sf life`: plays the three months below a temporary folder and writes the table of mishaps."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import dagster as dg

from sf_assets.vocabulary.partitions import add_months, months, parse_month
from sf_assets_dev.life.deployment import OperatedDeployment
from sf_assets_dev.life.mishap import Mishap
from sf_assets_dev.life.months import live

_INTRODUCTION = """\
# Reliability

A scripted life of three months (`make life`): the sensor and the schedule are on, and things go wrong. The script takes the
daemon's place, so that the ten minutes between two looks of the sensor pass at once; everything else is the product. Each row
says what an operator sees, what they do until every layer of the month is done again, and what was lost. The
[runbook](runbook.md) has the same cases as instructions, and [chaos.md](chaos.md) what killed writers leave. The script writes
this page, and fails when a case does not end well.

"""


def play(*, companies: int, page: Path | None) -> Iterator[str]:
    """Play the life; yield a line per mishap, and write the page when all of them ended well.

    Raises:
        SystemExit: a mishap did not end as it should.

    """
    started = time.monotonic()
    last = parse_month(months.get_partition_keys()[-1])
    lived = (add_months(last, -2), add_months(last, -1), last)
    done: list[Mishap] = []
    with tempfile.TemporaryDirectory(prefix="sf_life_") as folder:
        home = Path(folder) / "dagster"
        home.mkdir()
        (home / "dagster.yaml").write_bytes(files("sf_assets").joinpath("dagster.yaml").read_bytes())
        with dg.DagsterInstance.from_config(str(home)) as instance:
            for mishap in live(OperatedDeployment(Path(folder), instance), lived, companies=companies):
                done.append(mishap)
                mark = "green" if mishap.green else "NOT AS EXPECTED"
                yield f"{time.monotonic() - started:6.0f} s  {mishap.name}: {mark}\n          {mishap.seen}"
    if wrong := [mishap.name for mishap in done if not mishap.green]:
        raise SystemExit(f"expected every mishap to end well, found otherwise: {', '.join(wrong)}")
    if page:
        page.write_text(_INTRODUCTION + "\n".join(_table(done)) + "\n", encoding="utf-8")
        yield f"rewritten: {page}"


def _table(mishaps: Sequence[Mishap]) -> Iterator[str]:
    yield "| mishap | seen | steps to green | lost |"
    yield "|---|---|---|---|"
    for one in mishaps:
        steps = "; ".join(f"{n}. {step}" for n, step in enumerate(one.steps, start=1)) or "none"
        yield f"| {one.name} | {one.seen.replace('|', '/')} | {steps} | {one.lost} |"
