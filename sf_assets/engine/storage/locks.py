"""The lock of a warehouse's writers: who holds it, who waits for whom, and for how long.

A writer takes the lock for one transaction, most often for less than a second. A process that keeps it much longer is
stopped or stuck: whoever waits gives up with a sentence that names it, and does not hang.
"""

import fcntl
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sf_assets.vocabulary.failures import PermanentFailure

_LOG = logging.getLogger(__name__)

PATIENCE_SECONDS = 900.0  # maintenance of a large warehouse takes minutes; nothing else takes more than one
NOTICE_SECONDS = 10.0
_PAUSE_SECONDS = 0.05


class WarehouseLocked(PermanentFailure):
    """Another writer kept the lock of the warehouse for too long; the message names it and says what to do."""


def wait_for_lock(try_lock: Callable[[], bool], holder: Callable[[], str], purpose: str) -> None:
    """Return once `try_lock` returns true; log who is waited for after ten seconds.

    Raises:
        WarehouseLocked: the lock was not free within `PATIENCE_SECONDS`.

    """
    started = time.monotonic()
    logged = False
    while not try_lock():
        waited = time.monotonic() - started
        if waited >= PATIENCE_SECONDS:
            raise WarehouseLocked(
                f"{purpose}: gave up after {waited:.0f} s of waiting for the lock of the warehouse, held by {holder()}. "
                "Look whether that process still works; stop it if it does not, then run this step again."
            )
        if waited >= NOTICE_SECONDS and not logged:
            _LOG.warning("%s: waits for the lock of the warehouse, held by %s", purpose, holder())
            logged = True
        time.sleep(_PAUSE_SECONDS)


def this_process(purpose: str) -> str:
    """Return what others are told of this process while it holds the lock."""
    return f"process {os.getpid()} of {socket.gethostname()} ({purpose})"


@contextmanager
def file_lock(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock of a file, which names its holder meanwhile. The lock does not outlive the process."""
    with path.open("a+") as file:

        def try_lock() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        wait_for_lock(try_lock, lambda: _named_in(path), purpose)
        file.truncate(0)
        file.write(this_process(purpose))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def holder_of(path: Path) -> str | None:
    """Return who holds the lock of a file; None when it is free."""
    if not path.exists():
        return None
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _named_in(path)
    return None


def _named_in(path: Path) -> str:
    return path.read_text(encoding="utf-8") or "a process that has just taken it"
