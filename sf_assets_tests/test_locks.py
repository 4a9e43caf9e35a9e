"""Who waits for the lock of the warehouse says for whom, and gives up with a sentence; `sf status` names the holder."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from sf_assets.engine.storage import Session, Warehouse, locks
from sf_assets.vocabulary.schema import Column, Table

DEBTS = Table("debts", "one debt", (Column("siret", "VARCHAR", "establishment"),))
MARCH = {"month": date(2026, 3, 1)}


def write(session: Session) -> None:
    session.replace({DEBTS: "select 'a' as siret"}, where=MARCH, author="a run", message="debts of 2026-03")


@contextmanager
def held_by_another(warehouse: Warehouse) -> Iterator[None]:
    """Hold the lock from another session of this process, as another process would."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        connection = warehouse.connect()
        with warehouse._catalog.one_writer(connection, "maintenance"):
            held.set()
            release.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(60)
        yield
    finally:
        release.set()
        thread.join()


def test_a_writer_that_waits_too_long_names_the_holder_and_what_to_do(
    either_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(locks, "NOTICE_SECONDS", 0.1)
    with either_warehouse.session() as session:
        write(session)
    with held_by_another(either_warehouse), caplog.at_level(logging.WARNING):
        with pytest.raises(locks.WarehouseLocked) as refused, either_warehouse.session() as session:
            write(session)
        with either_warehouse.session() as session:
            holder = session.writer()
    told = str(refused.value.description)
    assert told.startswith(
        "debts of 2026-03: gave up after 0 s of waiting for the lock of the warehouse, held by process "
    )
    assert f"process {os.getpid()} of " in told
    assert told.endswith("then run this step again.")
    assert not refused.value.allow_retries
    assert holder is not None
    assert f"process {os.getpid()} of " in holder
    assert [record.message for record in caplog.records] == [
        f"debts of 2026-03: waits for the lock of the warehouse, held by {holder}"
    ]
    with either_warehouse.session() as session:
        assert session.writer() is None
        write(session)


def test_the_lock_of_a_killed_holder_is_free_whatever_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "catalog.lock"
    path.write_text("process 1 of a machine (gone)")
    assert locks.holder_of(path) is None
    with locks.file_lock(path, "a write"):
        assert locks.holder_of(path) == locks.this_process("a write")
    assert path.read_text() == ""
