"""The trial: a writer is killed again and again at a random moment of its writes, or its servers disturbed under it."""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from sf_assets.engine.storage import Session, Warehouse
from sf_assets_dev.chaos.checking import is_as_undisturbed, seconds_until_free, stored
from sf_assets_dev.chaos.writing import MOMENTS, MONTHS, Moment, Writer, write, write_on

# The longest that a writer waits for a server that refuses, before it gives up, and more.
_PATIENCE_SECONDS = 600.0
# After which share of a write's duration it is struck, at most: some writes are struck at their first moment, some late.
_LATEST = 2.0


@dataclass(slots=True)
class Outcome:
    """Counts of one kind of accident, over all its strokes; `slowest` is the longest wait for the lock, in seconds."""

    name: str
    strokes: int = 0
    torn: int = 0
    doubled: int = 0
    locked: int = 0
    slowest: float = 0.0
    again: int = 0
    same: bool = True

    @property
    def ended_well(self) -> bool:
        """Whether nothing was torn, doubled or left locked, and the rows at the end are those of an undisturbed writer."""
        return not (self.torn or self.doubled or self.locked) and self.same


@dataclass(slots=True)
class Trial:
    """One warehouse under trial: `seed` draws the moments, `rows` are those of a month and table."""

    warehouse: Warehouse
    seed: int
    rows: int = 20_000

    def kills(self, times: int) -> list[Outcome]:
        """Kill a writer `times` times; return what was found, by the moment of the kill."""
        draw = random.Random(self.seed)  # noqa: S311 - a trial, no secret
        outcomes = {moment: Outcome(f"killed {moment}") for moment in MOMENTS}
        with self.warehouse.session() as session:
            write(session, MONTHS, 0, self.rows)
            for _ in range(times):
                with self._writer(session) as (process, ready, moment):
                    seconds = _seconds_of_a_write(ready)
                    time.sleep(draw.uniform(0, _LATEST * seconds))
                    process.kill()
                    process.join()
                    self._look(session, outcomes[MOMENTS[moment.value]])
            same = is_as_undisturbed(session, self.rows)
        for outcome in outcomes.values():
            outcome.same = same
        return list(outcomes.values())

    def disturbances(self, name: str, times: int, disturb: Callable[[random.Random], None]) -> Outcome:
        """Disturb a server `times` times under a writer that goes on; a writer that gave up is started again, and counted.

        `disturb` ends when the server answers again; what it draws follows the seed.
        """
        draw = random.Random(self.seed)  # noqa: S311 - a trial, no secret
        outcome = Outcome(name)
        with self.warehouse.session() as session:
            write(session, MONTHS, 0, self.rows)
        for _ in range(times):
            with self.warehouse.session() as session, self._writer(session) as (process, ready, _moment):
                seconds = _seconds_of_a_write(ready)
                time.sleep(draw.uniform(0, _LATEST * seconds))
                disturb(draw)
                outcome.again += not _writes_on(ready)
                process.kill()
                process.join()
            with self.warehouse.session() as session:
                self._look(session, outcome)
        with self.warehouse.session() as session:
            outcome.same = is_as_undisturbed(session, self.rows)
        return outcome

    def _look(self, session: Session, outcome: Outcome) -> None:
        """Add what is stored now to an outcome."""
        waited = seconds_until_free(session)
        found = stored(session, self.seed, self.rows)
        outcome.strokes += 1
        outcome.torn += found.torn
        outcome.doubled += found.doubled
        outcome.locked += waited is None
        outcome.slowest = max(outcome.slowest, waited or 0.0)

    @contextmanager
    def _writer(self, session: Session) -> Iterator[tuple[BaseProcess, Connection, Moment]]:
        """Start a writer in a process without the connections of this one; end it with the block."""
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(["sf_assets_dev.chaos.writing"])
        ready, sent = multiprocessing.Pipe(duplex=False)
        moment = server.Value("i", 0, lock=False)
        first = stored(session, self.seed, self.rows).newest + 1
        writer = Writer(self.seed, first, self.rows)
        process = server.Process(target=write_on, args=(self.warehouse, writer, sent, moment), daemon=True)
        process.start()
        sent.close()
        try:
            yield process, ready, moment
        finally:
            process.kill()
            process.join()
            ready.close()


def _seconds_of_a_write(ready: Connection) -> float:
    """Wait for two writes of a writer; return how long the second took."""
    for _ in range(2):
        started = time.monotonic()
        if not ready.poll(_PATIENCE_SECONDS):
            raise TimeoutError("the writer does not write")
        ready.recv()
    return time.monotonic() - started


def _writes_on(ready: Connection) -> bool:
    """Return whether another write ends; False when the writer has given up."""
    try:
        while ready.poll():
            ready.recv()
        if not ready.poll(_PATIENCE_SECONDS):
            raise TimeoutError("the writer neither writes nor gives up")
        ready.recv()
    except EOFError:
        return False
    return True
