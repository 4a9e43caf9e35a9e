"""Tables in an object store: the same rows, the same writers, the same upkeep as in a folder; keys appear nowhere."""

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

import pytest

from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.errors import EngineError
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.engine.storage.objects import ObjectStore, bucket_and_prefix
from sf_assets.engine.storage.stored_files import stored_files
from sf_assets.operations.maintenance import run_maintenance
from sf_assets.operations.retention import run_retention
from sf_assets.settings import Settings, warehouse_of
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_tests.planted_month import judge

MARCH, APRIL, OLD = date(2026, 3, 1), date(2026, 4, 1), date(2020, 3, 1)
SOON = datetime(2026, 11, 20, tzinfo=UTC)
DEBTS = Table(
    "debts", "one debt", (Column("siret", "VARCHAR", "establishment"), Column("montant", "DOUBLE", "what is owed"))
)
TWO_DEBTS = "select unnest(['a', 'b']) as siret, $amount::double as montant"
NAMED = TABLES["stg_filter_import"]
GONE, KEPT = "111111111", "222222222"


def write(session: Session, amount: float, month: date = MARCH, rows: str = TWO_DEBTS) -> None:
    session.replace({DEBTS: rows}, where={"month": month}, author="test", message="test", parameters={"amount": amount})


def rows(warehouse: Warehouse, table: str = "debts") -> list[tuple[object, ...]]:
    return warehouse.query(f"select * from lake.{table} order by all").rows()


def test_months_are_replaced_read_and_read_as_they_were(remote_warehouse: Warehouse) -> None:
    with remote_warehouse.session() as session:
        for amount, month in ((1, MARCH), (2, APRIL), (3, APRIL), (3, APRIL)):
            write(session, amount, month)
        files = stored_files(session)
    assert all(file.startswith(f"{remote_warehouse.data_path}/main/debts/") for file in files)
    assert rows(remote_warehouse) == [(MARCH, "a", 1.0), (MARCH, "b", 1.0), (APRIL, "a", 3.0), (APRIL, "b", 3.0)]
    (past,) = remote_warehouse.query("select max(montant) from lake.debts at (version => 2)").row(0)
    assert past == 2.0


def replace_months(warehouse: Warehouse, writer: int) -> None:
    with warehouse.session() as session:
        for step in range(3):
            write(session, writer, date(2026, 1 + (step + writer) % 3, 1))


def test_eight_processes_that_replace_the_same_months_leave_each_month_once(remote_warehouse: Warehouse) -> None:
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["sf_assets.engine.storage"])
    writers = [server.Process(target=replace_months, args=(remote_warehouse, number)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    months = remote_warehouse.query(
        "select month, list(siret order by siret), count(distinct montant) from lake.debts group by 1 order by 1"
    ).rows()
    assert months == [(date(2026, number, 1), ["a", "b"], 1) for number in (1, 2, 3)]


def write_for_long(warehouse: Warehouse, ready: Connection) -> None:
    with warehouse.session() as session:
        ready.send("writes")
        write(
            session,
            5,
            rows="select hash(i)::varchar as siret, hash(-i)::double as montant from range(20_000_000) t (i)",
        )


def test_a_writer_killed_during_its_upload_leaves_the_month_and_the_lock(remote_warehouse: Warehouse) -> None:
    with remote_warehouse.session() as session:
        write(session, 1)
    parent, child = multiprocessing.Pipe()
    writer = multiprocessing.get_context("forkserver").Process(target=write_for_long, args=(remote_warehouse, child))
    writer.start()
    assert parent.poll(60)
    time.sleep(1)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert rows(remote_warehouse) == [(MARCH, "a", 1.0), (MARCH, "b", 1.0)]
    with remote_warehouse.session() as session:
        write(session, 2)
    assert len(rows(remote_warehouse)) == 2


# Upkeep.


@pytest.fixture
def unfinished(remote_warehouse: Warehouse) -> list[str]:
    """Begin two uploads in parts, one of them outside of the warehouse; return how many there are below and beside it."""
    assert remote_warehouse.objects
    client = remote_warehouse.objects.client()
    bucket, prefix = bucket_and_prefix(remote_warehouse.data_path)
    keys = [f"{prefix}main/debts/killed.parquet", "another/place/running.parquet"]
    for key in keys:
        client.create_multipart_upload(Bucket=bucket, Key=key)

    class Left(list[str]):
        def now(self) -> list[str]:
            return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]

    return Left(keys)


def test_maintenance_merges_expires_and_ends_uploads_that_killed_writers_left(
    remote_warehouse: Warehouse, unfinished: Any, tmp_path: Any
) -> None:
    with remote_warehouse.session() as session:
        for amount in (1, 2, 3):
            write(session, amount)
        before = len(stored_files(session))
    folders = Folders.below(tmp_path)
    now = datetime.now(UTC)
    assert run_maintenance(remote_warehouse, folders, at=now, dry_run=False).metadata["uploads_ended"] == 0
    later = now + timedelta(days=3)
    planned = run_maintenance(remote_warehouse, folders, at=later, dry_run=True)
    assert planned.metadata["uploads_ended"] == 1
    assert sorted(unfinished.now()) == sorted(unfinished)
    done = run_maintenance(remote_warehouse, folders, at=now + timedelta(days=1200), dry_run=False)
    assert done.metadata["uploads_ended"] == 1
    assert unfinished.now() == unfinished[1:]
    assert done.metadata["snapshots_expired"] > 0
    with remote_warehouse.session() as session:
        assert len(stored_files(session)) < before
    assert rows(remote_warehouse) == [(MARCH, "a", 3.0), (MARCH, "b", 3.0)]


def test_a_file_that_no_snapshot_knows_is_removed_by_maintenance(remote_warehouse: Warehouse, tmp_path: Any) -> None:
    with remote_warehouse.session() as session:
        write(session, 1)
        left = f"{remote_warehouse.data_path}/main/debts/ducklake-killed.parquet"
        session.connection.execute(f"copy (select 1 as a) to '{left}'")
    young = run_maintenance(remote_warehouse, Folders.below(tmp_path), at=datetime.now(UTC), dry_run=False)
    assert young.metadata["orphans_removed"] == 0
    later = datetime.now(UTC) + timedelta(days=3)
    assert run_maintenance(remote_warehouse, Folders.below(tmp_path), at=later, dry_run=False).warehouse.orphans == 1
    with remote_warehouse.session() as session:
        assert left not in stored_files(session)
    assert len(rows(remote_warehouse)) == 2


def test_retention_removes_what_is_past_its_time_and_scans_the_bytes_of_the_store(
    remote_warehouse: Warehouse, tmp_path: Any
) -> None:
    for month, sirens in ((OLD, (GONE, KEPT)), (MARCH, (KEPT,)), (APRIL, (KEPT,))):
        with remote_warehouse.session() as session:
            named = " union all ".join(f"select '{siren}' as siren" for siren in sirens)
            session.replace({NAMED: named}, where={"month": month}, author="test", message="test")
    with remote_warehouse.session() as session:
        session.connection.execute("call ducklake_merge_adjacent_files('lake')")
        judge(session, NAMED.name, APRIL)
    done = run_retention(remote_warehouse, tmp_path, at=SOON, dry_run=False)
    assert done.clean
    assert done.identifiers == 1
    with remote_warehouse.session() as session:
        for file in stored_files(session, NAMED.name):
            assert (GONE,) not in session.connection.execute(f"select siren from read_parquet('{file}')").fetchall()
        left = f"{remote_warehouse.data_path}/main/{NAMED.name}/ducklake-forgotten.parquet"
        session.connection.execute(f"copy (select '{GONE}00012' as siret) to '{left}'")
        session.replace({NAMED: f"select '{GONE}' as siren"}, where={"month": OLD}, author="test", message="test")
    again = run_retention(remote_warehouse, tmp_path, at=SOON, dry_run=False)
    assert again.left == (left,)


# Settings and keys.


def test_tables_in_a_store_need_its_keys(object_store: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(tables="s3://lake/prefix")
    for name in object_store:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        warehouse_of(settings)
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)
    made = warehouse_of(settings)
    assert made.data_path == "s3://lake/prefix"
    assert made.objects is not None
    assert made.objects.endpoint == object_store["AWS_ENDPOINT_URL"]
    assert warehouse_of(Settings()).objects is None


@pytest.mark.parametrize("address", ["s3:/lake", "s3://", "https://lake/x", "/srv/lake", "s3://lake/a b"])
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="SF_TABLES"):
        Settings.from_environment({"SF_TABLES": address})


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(UserError, match="AWS_ENDPOINT_URL"):
        ObjectStore.of_variables({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": "host:1"})


def test_keys_are_in_no_text_and_in_no_setting_of_a_session(
    remote_warehouse: Warehouse, object_store: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)
    secret = object_store["AWS_SECRET_ACCESS_KEY"]
    with remote_warehouse.session() as session:
        seen = [
            repr(session.connection.execute(f"from {table}").fetchall())
            for table in ("duckdb_settings()", "duckdb_secrets()")
        ]
    assert all(secret not in text for text in (*seen, repr(remote_warehouse), str(remote_warehouse.objects)))
    assert remote_warehouse.objects
    closed = replace(remote_warehouse, objects=replace(remote_warehouse.objects, secret="not-this-one"))  # noqa: S106
    # A refused key is asked for again like a server in trouble, for a minute.
    once = f"set global http_retries = 1; from '{closed.data_path}/main/debts/x.parquet'"
    with pytest.raises(EngineError) as refused, closed.session() as session:
        session.connection.execute(once)
    assert "403" in str(refused.value)
    assert "not-this-one" not in str(refused.value)
