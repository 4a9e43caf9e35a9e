"""A whole month on PostgreSQL and an object store that refuses while it runs, compared with the month of one machine."""

import random
import time
from collections.abc import Callable, Generator
from datetime import date
from pathlib import Path

from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.modes import OPEN
from sf_assets_dev.chaos.trial import Outcome
from sf_assets_dev.scale.trial import Site, compared, deliver, embedded, remote, wait
from sf_assets_dev.servers.postgres import create_database
from sf_assets_dev.servers.seaweedfs import create_bucket
from sf_assets_dev.synthetic import write_batch

_MONTH = date(2026, 3, 1)
_COMPANIES, _YEARS = 100, 2
# Open data has the fewest tables; steps of a month use tables and files of the store from its third second on.
_COMMON = {"SF_MODE": OPEN, "SF_PERIMETER_MONTHS": "24", "SF_THREADS": "1", "OMP_NUM_THREADS": "1"}
_FIRST_SECONDS, _LATEST_SECONDS = 3.0, 15.0
NAME = "a month, S3 refuses for 30 s twice"


def play_month(
    folder: Path, *, dsn: str, keys: dict[str, str], seed: int, disturb: Callable[[], None]
) -> Generator[str, None, Outcome]:
    """Run a month on one machine, then on the store while `disturb` is called in each of its two runs; yield the comparison.

    A run that fails is started again once, and counted. Tables and files of the list that differ count as torn.

    Raises:
        RuntimeError: a run failed twice.

    """
    draw = random.Random(seed)  # noqa: S311 - a trial, no secret
    one = embedded(folder / "one", _COMMON)
    many = remote(
        "disturbed",
        folder / "many",
        _COMMON,
        catalog=create_database(dsn, "month"),
        bucket=create_bucket(keys, "month"),
        keys=keys,
    )
    write_batch(
        one.data / "incoming" / batch_key(_MONTH),
        month=_MONTH,
        companies=_COMPANIES,
        seed=seed,
        years=_YEARS,
        mode=OPEN,
    )
    deliver(one, many, _MONTH)
    outcome = Outcome(NAME)
    for job in ("batch", "score"):
        wait([one.start(job, _MONTH)])
        outcome.strokes += 1
        outcome.again += not _ends(many, job, draw.uniform(_FIRST_SECONDS, _LATEST_SECONDS), disturb)
    wrong = yield from compared(one, many, _MONTH)
    outcome.torn, outcome.same = len(wrong), not wrong
    return outcome


def _ends(site: Site, job: str, after: float, disturb: Callable[[], None]) -> bool:
    """Run a job, disturbed after some seconds; return whether it succeeded, and run it again when it did not."""
    run = site.start(job, _MONTH)
    try:
        time.sleep(after)
        disturb()
        wait([run])
    except RuntimeError:
        wait([site.start(job, _MONTH)])
        return False
    finally:
        run.kill()
        run.wait()
    return True
