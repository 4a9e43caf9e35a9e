"""Who waits for the lock of the warehouse says for whom, and gives up with a sentence; `sf status` names the holder."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sf_assets.engine.storage import Session, Warehouse, locks
from sf_assets.engine.storage import session as session_module
from sf_assets.engine.storage.ahead import Ahead
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


def amounts(session: Session) -> list[tuple[str]]:
    return session.connection.execute("select siret from lake.debts order by siret").fetchall()


def test_files_of_a_shared_catalog_are_written_while_another_writer_holds_the_lock(
    postgres_warehouse: Warehouse, tmp_path: Path
) -> None:
    def files() -> int:
        return len(list(tmp_path.glob("tables/main/debts/*.parquet")))

    def write_b() -> None:
        with postgres_warehouse.session() as session:
            session.replace({DEBTS: "select 'b' as siret"}, where=MARCH, author="a run", message="debts of 2026-03")

    with postgres_warehouse.session() as session:
        write(session)
        writer = threading.Thread(target=write_b)
        with held_by_another(postgres_warehouse):
            writer.start()
            give_up = time.monotonic() + 30
            while files() < 2 and time.monotonic() < give_up:
                time.sleep(0.02)
            assert (files(), amounts(session)) == (2, [("a",)])
        writer.join()
        assert (files(), amounts(session)) == (2, [("b",)])


def test_rows_found_the_same_are_compared_again_when_another_writer_came_between(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = session_module.write_ahead

    def then_another_writes(*arguments: Any) -> Ahead | None:
        ahead = compared(*arguments)
        monkeypatch.undo()
        assert ahead is not None
        assert (ahead.same, ahead.files) == ({MARCH["month"]}, ())
        with postgres_warehouse.session() as other:
            other.replace({DEBTS: "select 'b' as siret"}, where=MARCH, author="another run", message="debts of 2026-03")
        return ahead

    with postgres_warehouse.session() as session:
        write(session)
        monkeypatch.setattr(session_module, "write_ahead", then_another_writes)
        write(session)
        assert amounts(session) == [("a",)]


def test_the_lock_of_a_killed_holder_is_free_whatever_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "catalog.lock"
    path.write_text("process 1 of a machine (gone)")
    assert locks.holder_of(path) is None
    with locks.file_lock(path, "a write"):
        assert locks.holder_of(path) == locks.this_process("a write")
    assert path.read_text() == ""
