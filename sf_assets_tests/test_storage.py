"""The warehouse: a month is replaced in full or not at all, by one or many writers, on SQLite and on PostgreSQL."""

import multiprocessing
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as changed
from datetime import date
from pathlib import Path

import duckdb
import pytest

from sf_assets.engine.errors import EngineError
from sf_assets.engine.storage import OutOfScope, SchemaMismatch, Session, Warehouse, Write, extensions
from sf_assets.engine.storage import content as content_module
from sf_assets.engine.storage import session as session_module
from sf_assets.engine.storage.extensions import extension_file
from sf_assets.engine.storage.folders import make_private_folder, replace_folder
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_dev.chaos.together import replace_together
from sf_assets_tests.writers import (
    DEBTS,
    MARCH,
    TWO_DEBTS,
    rows,
    start_writer,
    write,
    write_until_killed,
)

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)

COUNTS = Table(
    "counts", "one file", (Column("source", "VARCHAR", "kind of file"), Column("records", "INTEGER", "records in it"))
)


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        yield opened


def newest(session: Session) -> int:
    """Return the number of the newest snapshot."""
    with session.reading() as snapshot:
        return snapshot


# Rows computed while they are written.


def test_a_streamed_query_reads_the_snapshot_of_the_checks_whatever_is_written_meanwhile(warehouse: Warehouse) -> None:
    copied = changed(DEBTS, name="copied")
    with warehouse.session() as session, warehouse.session() as other:
        write(session, 1)
        session.pin()
        session.bind({DEBTS: MARCH}, pinned=True)
        write(other, 2)
        made = session.replace(
            {copied: "from debts"}, where={"month": MARCH}, author="test", message="test", streamed=(copied,)
        )["copied"]
        assert rows(session, "select siret, montant from lake.copied order by all") == [("a", 1.0), ("b", 1.0)]
        assert rows(session, "select distinct montant from lake.debts") == [(2.0,)]
    assert (made.rows, made.replaced, made.unchanged) == (2, 0, 0)


def test_a_streamed_query_written_again_leaves_equal_months_alone(session: Session) -> None:
    copied = changed(DEBTS, name="copied")
    write(session, 1)
    for unchanged in (0, 2):
        session.bind({DEBTS: MARCH}, pinned=True)
        made = session.replace(
            {copied: "from debts"}, where={"month": MARCH}, author="test", message="test", streamed=(copied,)
        )["copied"]
        assert (made.rows, made.unchanged) == (2, unchanged)


@pytest.mark.parametrize(("again", "times"), [("nothing", 1), ("the same rows", 2), ("other rows", 3)])
def test_on_a_shared_catalog_a_streamed_query_is_computed_once_unless_it_replaces_rows(
    postgres_warehouse: Warehouse, again: str, times: int
) -> None:
    first = {"nothing": (), "the same rows": (1,), "other rows": (2,)}[again]
    with postgres_warehouse.session() as session:
        session.connection.execute("create temp sequence computed")
        for amount in (*first, 1):
            # The filter counts: one row, for which the sequence goes one further each time.
            made = session.replace(
                {DEBTS: f"select 'a' as siret, {amount}::double as montant where nextval('computed') > 0"},
                where={"month": MARCH},
                author="test",
                message="test",
                streamed=(DEBTS,),
            )["debts"]
        assert rows(session, "select currval('computed')") == [(times,)]
        assert rows(session) == [(MARCH, "a", 1.0)]
    assert (made.rows, made.replaced) == (1, len(first))


@pytest.mark.parametrize("months", [[MARCH], [MARCH, APRIL, MAY]])
@pytest.mark.parametrize("by_month", [True, False])
def test_a_first_write_counts_the_rows_of_its_files(
    postgres_warehouse: Warehouse, months: list[date], *, by_month: bool
) -> None:
    table = changed(DEBTS, partition_by_month=by_month)
    listed = ", ".join(f"date '{month}'" for month in months[:2])
    query = f"select unnest([{listed}]) as month, unnest(range(5))::varchar as siret, 1::double as montant"
    with postgres_warehouse.session() as session:
        for limit, found in ((0, 0), (5, 2)):
            made = session.replace(
                {table: f"from ({query}) where month is not null limit {limit}"},
                where={"month": months},
                author="test",
                message="test",
                streamed=(table,),
            )["debts"]
            assert made.rows == min(found, len(months[:2]))
        assert rows(session, "select count(*) from lake.debts") == [(made.rows,)]


def test_nothing_is_written_when_the_verification_before_the_commit_fails(session: Session) -> None:
    write(session, 1)

    def refuse() -> None:
        raise PermanentFailure("files changed")

    with pytest.raises(PermanentFailure, match="files changed"):
        session.replace(
            {DEBTS: "select 'c' as siret, 3::double as montant"}, where={"month": MARCH}, author="test", message="test",
            verify=refuse,
        )  # fmt: skip
    assert rows(session) == [(MARCH, "a", 1.0), (MARCH, "b", 1.0)]


# The result of a write.


def test_the_same_write_twice_leaves_the_same_rows(either_warehouse: Warehouse) -> None:
    with either_warehouse.session() as session:
        first = write(session, 5)
        before = rows(session)
        second = write(session, 5)
        assert rows(session) == before == [(MARCH, "a", 5.0), (MARCH, "b", 5.0)]
    assert (first.rows, first.replaced, second.rows, second.replaced) == (2, 0, 2, 2)


def test_the_same_rows_in_another_order_are_not_written_again(
    either_warehouse: Warehouse,
) -> None:
    with either_warehouse.session() as session:
        write(session, 5)
        before = rows(session, "select siret, montant, snapshot_id from lake.debts order by all")
        again = session.replace(
            {DEBTS: "select * from (select unnest(['b', 'a']) as siret, 5.0::double as montant)"},
            where={"month": MARCH},
            author="test",
            message="again",
        )["debts"]
        assert rows(session, "select siret, montant, snapshot_id from lake.debts order by all") == before
        assert (again.rows, again.replaced, again.unchanged) == (2, 2, 2)


@pytest.mark.parametrize(
    "query",
    [
        "select unnest(['a', 'c']) as siret, 5.0::double as montant",
        "select unnest(['a', 'b']) as siret, 6.0::double as montant",
        "select unnest(['a', 'a']) as siret, 5.0::double as montant",
        "select unnest(['a', 'b', 'b']) as siret, 5.0::double as montant",
        "select unnest(['a', null]) as siret, 5.0::double as montant",
    ],
)
def test_rows_that_differ_in_one_value_or_in_their_number_are_replaced(session: Session, query: str) -> None:
    first = write(session, 5)
    done = session.replace({DEBTS: query}, where={"month": MARCH}, author="test", message="other")["debts"]
    assert done.unchanged == 0
    assert rows(session, "select distinct snapshot_id from lake.debts") == [(done.snapshot,)]
    assert done.snapshot > first.snapshot


def test_of_several_months_only_those_that_change_are_written(session: Session) -> None:
    def write_months(amount: int) -> Write:
        query = f"""
            select unnest([date '{MARCH}', date '{APRIL}']) as month, 'a' as siret, unnest([1.0, {amount}])::double as montant
        """
        where = {"month": [MARCH, APRIL, MAY]}
        return session.replace({DEBTS: query}, where=where, author="test", message="test")["debts"]

    first, second = write_months(2), write_months(3)
    assert (second.rows, second.replaced, second.unchanged) == (2, 2, 1)
    written = rows(session, "select month, montant, snapshot_id from lake.debts order by all")
    assert written == [(MARCH, 1.0, first.snapshot), (APRIL, 3.0, second.snapshot)]


def test_rows_of_another_source_are_neither_compared_nor_touched(session: Session) -> None:
    for source in ("debit", "procol", "debit"):
        done = session.replace(
            {COUNTS: "select 1::integer as records"},
            where={"month": MARCH, "source": source},
            author="test",
            message="test",
        )["counts"]
    assert done.unchanged == 1
    assert rows(session, "select source, records from lake.counts order by all") == [("debit", 1), ("procol", 1)]


def test_only_the_month_in_scope_is_replaced(session: Session) -> None:
    write(session, 1, MARCH)
    write(session, 2, APRIL)
    write(session, 3, APRIL)
    assert rows(session) == [(MARCH, "a", 1.0), (MARCH, "b", 1.0), (APRIL, "a", 3.0), (APRIL, "b", 3.0)]
    assert session.months("debts") == [MARCH, APRIL]


def test_several_months_are_replaced_by_the_rows_of_one_query(session: Session) -> None:
    for month in (MARCH, APRIL, MAY):
        write(session, 1, month)
    session.replace(
        {DEBTS: "select date '2026-04-01' as month, 'c' as siret, 2.0::double as montant"},
        where={"month": [MARCH, APRIL]},
        author="test",
        message="test",
    )
    assert session.months("debts") == [APRIL, MAY]


def test_a_second_column_restricts_the_tables_that_have_it(session: Session) -> None:
    for source, records in (("debit", 1), ("procol", 2), ("debit", 3)):
        session.replace(
            {DEBTS: TWO_DEBTS, COUNTS: "select $records::integer as records"},
            where={"month": MARCH, "source": source},
            author="test",
            message="test",
            parameters={"amount": records, "records": records},
        )
    assert rows(session, "select source, records from lake.counts order by all") == [("debit", 3), ("procol", 2)]
    assert rows(session) == [(MARCH, "a", 3.0), (MARCH, "b", 3.0)]


def test_a_month_without_rows_replaces_the_rows_it_had(session: Session) -> None:
    write(session)
    done = session.replace(
        {DEBTS: f"{TWO_DEBTS} limit 0"},
        where={"month": MARCH},
        author="test",
        message="test",
        parameters={"amount": 1},
    )
    assert (done["debts"].rows, done["debts"].replaced, rows(session)) == (0, 2, [])


def test_replacing_no_rows_by_no_rows_returns_the_current_snapshot(session: Session) -> None:
    write(session)
    before = newest(session)
    done = session.replace(
        {DEBTS: f"{TWO_DEBTS} limit 0"},
        where={"month": APRIL},
        author="test",
        message="test",
        parameters={"amount": 1},
    )["debts"]
    assert (done.rows, done.replaced, done.snapshot) == (0, 0, before)


def test_columns_are_matched_by_name_whatever_their_order(session: Session) -> None:
    session.replace(
        {DEBTS: "select 1.0::double as montant, 'a' as siret"}, where={"month": MARCH}, author="test", message="test"
    )
    assert rows(session) == [(MARCH, "a", 1.0)]


def test_a_snapshot_has_its_author_and_message_and_can_be_read_again(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        first = write(session, 1)
        second = session.replace(
            {DEBTS: TWO_DEBTS},
            where={"month": MARCH},
            author="run 42",
            message="debts 2026-03",
            extra={"month": MARCH},
            parameters={"amount": 2},
        )["debts"]
        assert newest(session) == second.snapshot > first.snapshot
    snapshot = warehouse.query(
        "select author, commit_message, commit_extra_info from lake.snapshots() where snapshot_id = $id",
        {"id": second.snapshot},
    )
    assert snapshot.row(0) == ("run 42", "debts 2026-03", '{"month": "2026-03-01"}')
    past = warehouse.query(f"select distinct montant from lake.debts at (version => {first.snapshot})")
    assert past["montant"].to_list() == [1.0]


def test_declarations_are_stored_as_comments_of_the_table(session: Session) -> None:
    write(session)
    comments = dict(
        rows(session, "select column_name, comment from duckdb_columns() where database_name = 'lake'")
        + rows(session, "select table_name, comment from duckdb_tables() where database_name = 'lake'")
    )
    assert comments["montant"] == "what is owed (€)"
    assert comments["debts"] == "one row is one debt of one establishment"
    with pytest.raises(duckdb.ConstraintException, match="month"):
        session.connection.execute("insert into lake.debts values (null, 'a', 1)")


@pytest.mark.parametrize(("partition_by_month", "files"), [(True, 2), (False, 1)])
def test_a_write_is_one_file_unless_the_table_is_partitioned_by_month(
    session: Session, tmp_path: Path, *, partition_by_month: bool, files: int
) -> None:
    query = f"select unnest([date '{MARCH}', date '{APRIL}']) as month, 'a' as siret, 1.0::double as montant"
    table = changed(DEBTS, partition_by_month=partition_by_month)
    session.replace({table: query}, where={"month": [MARCH, APRIL]}, author="test", message="two months")
    assert len(list(tmp_path.glob("tables/main/debts/**/*.parquet"))) == files
    assert session.months("debts") == [MARCH, APRIL]


# Refused writes, which change nothing.


@pytest.mark.parametrize(
    ("query", "mismatch"),
    [
        ("select 'a' as siret", "Column montant: expected DOUBLE, found none."),
        ("select 'a' as siret, 1 as montant", "Column montant: expected DOUBLE, found INTEGER."),
        ("select 'a' as siret, 1::decimal(9, 2) as montant", "Column montant: expected DOUBLE, found DECIMAL(9,2)."),
        ("select 'a' as siret, 1::double as montant, 1 as x", "Column x: expected none, found INTEGER."),
    ],
)
def test_a_query_that_does_not_return_the_declared_columns_is_refused(
    session: Session, query: str, mismatch: str
) -> None:
    with pytest.raises(
        SchemaMismatch, match=re.escape(f"debts: the query does not return the declared columns. {mismatch}")
    ):
        session.replace({DEBTS: query}, where={"month": MARCH}, author="test", message="test")
    assert session.months("debts") == []


def test_a_column_that_is_only_null_fits_every_type(session: Session) -> None:
    session.replace(
        {DEBTS: "select null as siret, null as montant"}, where={"month": MARCH}, author="test", message="test"
    )
    assert rows(session) == [(MARCH, None, None)]


@pytest.mark.parametrize("month", ["date '2026-05-01'", "null::date"])
def test_rows_outside_the_scope_are_refused(session: Session, month: str) -> None:
    write(session)
    found = "2026-05-01" if "2026" in month else "None"
    with pytest.raises(OutOfScope, match=f"debts: .* month: expected 2026-03-01, 2026-04-01, found {found}"):
        session.replace(
            {DEBTS: f"select {month} as month, 'c' as siret, 2.0::double as montant"},
            where={"month": [MARCH, APRIL]},
            author="test",
            message="test",
        )
    assert len(rows(session)) == 2


@pytest.mark.parametrize("where", [{}, {"source": "debit"}, {"month": MARCH, "sourc": "debit"}, {"month": []}])
def test_a_scope_without_month_or_of_no_column_is_refused(session: Session, where: dict[str, object]) -> None:
    write(session)
    with pytest.raises(ValueError, match="counts: expected values of month"):
        session.replace({COUNTS: "select 1"}, where=where, author="test", message="test")


def test_a_query_that_fails_changes_nothing(session: Session) -> None:
    write(session)
    with pytest.raises(duckdb.ConversionException):
        session.replace(
            {DEBTS: "select 'a' as siret, 'x'::double as montant"},
            where={"month": MARCH},
            author="test",
            message="test",
        )
    assert len(rows(session)) == 2


def test_an_insert_that_fails_changes_nothing_and_is_not_retried(
    either_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = before_each_attempt(monkeypatch, lambda _: None)
    with either_warehouse.session() as session:
        write(session, 1)
        session.connection.execute("alter table lake.debts alter column siret set not null")
        snapshot = newest(session)
        attempts.clear()
        # On a shared catalog the transaction only registers files: one that does not fit is refused.
        wrong = tmp_path / "wrong.parquet"
        duckdb.execute(f"copy (select date '{MARCH}' as month, 1 as siret, 2.0::double as montant) to '{wrong}'")
        monkeypatch.setattr(content_module, "write_files", lambda *_: (str(wrong),))
        with pytest.raises((duckdb.ConstraintException, duckdb.InvalidInputException), match="siret"):
            session.replace(
                {DEBTS: "select null::varchar as siret, 2.0::double as montant"},
                where={"month": MARCH},
                author="test",
                message="test",
            )
        assert (rows(session), newest(session)) == ([(MARCH, "a", 1.0), (MARCH, "b", 1.0)], snapshot)
        assert len(attempts) == 1
        monkeypatch.undo()
        assert write(session, 3).rows == 2


def test_several_tables_are_written_all_or_nothing(either_warehouse: Warehouse) -> None:
    with either_warehouse.session() as session:
        write(session, 1)
        session.connection.execute("create table lake.counts (month date, source varchar, records varchar)")
        with pytest.raises(SchemaMismatch):
            session.replace(
                {DEBTS: TWO_DEBTS, COUNTS: "select 'debit' as source, 1 as records"},
                where={"month": MARCH},
                author="test",
                message="test",
                parameters={"amount": 2},
            )
        assert rows(session) == [(MARCH, "a", 1.0), (MARCH, "b", 1.0)]


# Changed declarations.


def test_a_newly_declared_column_is_null_in_the_past(session: Session) -> None:
    grown = changed(DEBTS, columns=(*DEBTS.columns, Column("etat", "INTEGER", "state of the account")))
    write(session, 1, MARCH)
    session.replace(
        {grown: "select 'c' as siret, 2.0::double as montant, 3 as etat"},
        where={"month": APRIL},
        author="test",
        message="test",
    )
    assert rows(session, "select month, siret, etat from lake.debts order by all") == [
        (MARCH, "a", None),
        (MARCH, "b", None),
        (APRIL, "c", 3),
    ]


def test_a_retyped_or_removed_column_is_refused_with_advice(session: Session) -> None:
    write(session)
    columns = (Column("siret", "BIGINT", "establishment"), Column("reste", "DOUBLE", "what is still owed"))
    with pytest.raises(SchemaMismatch) as refusal:
        session.replace(
            {changed(DEBTS, columns=columns): "select 1::bigint as siret, 1::double as reste"},
            where={"month": MARCH},
            author="test",
            message="test",
        )
    message = str(refusal.value.description)
    assert "Column siret: expected BIGINT, found VARCHAR. Column montant: expected none, found DOUBLE." in message
    assert "alter table lake.debts" in message
    assert len(rows(session)) == 2


# Reads.


def test_a_month_is_read_by_the_plain_name_of_the_table_without_its_month(session: Session) -> None:
    write(session, 1, MARCH)
    write(session, 2, APRIL)
    session.bind({DEBTS: APRIL})
    assert rows(session, "from debts order by all") == [("a", 2.0), ("b", 2.0)]
    session.bind({DEBTS: MARCH})
    assert rows(session, "from debts order by all") == [("a", 1.0), ("b", 1.0)]


def test_several_months_or_all_are_read_with_their_month(session: Session) -> None:
    for amount, month in enumerate((MARCH, APRIL, MAY)):
        write(session, amount, month)
    session.bind({DEBTS: None})
    assert rows(session, "select distinct month from debts order by all") == [(MARCH,), (APRIL,), (MAY,)]
    session.bind_months([DEBTS], [APRIL, MAY])
    assert rows(session, "from debts order by all limit 1") == [(APRIL, "a", 1.0)]


def test_tables_and_columns_not_stored_yet_read_as_empty_with_their_types(session: Session) -> None:
    write(session)
    grown = changed(DEBTS, columns=(*DEBTS.columns, Column("etat", "INTEGER", "state of the account")))
    session.bind({grown: MARCH, COUNTS: MARCH})
    assert rows(session, "from counts") == []
    assert rows(session, "select typeof(etat), etat, montant from debts limit 1") == [("INTEGER", None, 1.0)]
    described = rows(session, "select column_name, column_type from (describe counts)")
    assert described == [("source", "VARCHAR"), ("records", "INTEGER")]


def test_queries_of_one_write_read_the_same_snapshot(session: Session) -> None:
    write(session, 1)
    session.bind({DEBTS: MARCH})
    session.replace(
        {DEBTS: "select siret, montant + 1 as montant from debts", COUNTS: "select 'x' as source, 1 as records"},
        where={"month": MARCH},
        author="test",
        message="test",
    )
    assert rows(session) == [(MARCH, "a", 2.0), (MARCH, "b", 2.0)]


# Concurrent readers and writers.


def test_a_reader_keeps_its_snapshot_and_makes_no_writer_wait(either_warehouse: Warehouse) -> None:
    with either_warehouse.session() as writer, either_warehouse.session() as reader:
        write(writer, 1)
        reader.connection.begin()
        assert rows(reader)[0] == (MARCH, "a", 1.0)
        write(writer, 2)
        assert rows(reader)[0] == (MARCH, "a", 1.0)
        reader.connection.commit()
        assert rows(reader)[0] == (MARCH, "a", 2.0)


def write_together(session: Session, month: date, meeting: threading.Barrier) -> Write:
    meeting.wait()
    return write(session, 1, month)


def test_two_writers_of_the_same_still_empty_month_leave_one_copy(either_warehouse: Warehouse) -> None:
    with either_warehouse.session() as first, either_warehouse.session() as second, ThreadPoolExecutor(2) as pool:
        for number in range(1, 9):
            meeting = threading.Barrier(2)
            done = pool.map(write_together, (first, second), [date(2026, number, 1)] * 2, [meeting] * 2)
            assert sorted(write.replaced for write in done) == [0, 2]
        assert rows(first, "select count(*), count(distinct month) from lake.debts") == [(16, 8)]


def test_eight_processes_that_replace_the_same_months_leave_right_months(either_warehouse: Warehouse) -> None:
    """`make chaos` lets them replace forty months."""
    found = replace_together(either_warehouse, months=8)
    assert (found.strokes, found.ended_well, found.again) == (64, True, 0)


def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_month(either_warehouse: Warehouse) -> None:
    killed_at = []
    with either_warehouse.session() as session:
        write(session, 0)
        for attempt in range(8):
            parent, child = multiprocessing.Pipe()
            writer = start_writer(write_until_killed, either_warehouse, child)
            assert parent.poll(60)
            time.sleep(0.017 * attempt)
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
            ((number, same, found),) = rows(
                session, "select min(montant)::int, max(montant)::int, count(*)::int from lake.debts"
            )
            assert number == same
            assert found == 1000 + number
            killed_at.append(number)
        assert killed_at == sorted(set(killed_at))
        write(session, 0)
        assert len(rows(session)) == 2


def test_whoever_stops_a_query_stops_its_run_and_not_one_step_of_it(warehouse: Warehouse) -> None:
    class Stopped(BaseException):
        """What the handler of a signal raises."""

    def stop(*_: object) -> None:
        raise Stopped

    # The database is attached before the clock runs.
    warehouse.query("select 1")
    former = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(Stopped):
            warehouse.query("select sum(a.range * b.range) from range(1000000) as a, range(1000000) as b")
    finally:
        signal.signal(signal.SIGALRM, former)


# Transient errors.

CUT = "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'warehouse_%'"


def before_each_attempt(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Call `act` with the number of the attempt, from 0, at each attempt of each transaction; return the list of attempts."""
    attempts: list[int] = []
    create_or_extend = content_module.create_or_extend

    def watched(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
        existed = create_or_extend(connection, table)
        attempts.append(len(attempts))
        act(attempts[-1])
        return existed

    monkeypatch.setattr(content_module, "create_or_extend", watched)
    return attempts


def test_a_write_survives_the_loss_of_its_server_connections(
    postgres_warehouse: Warehouse, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(attempt: int) -> None:
        if attempt < 2:
            subprocess.run(["psql", "-d", postgres_dsn, "-c", CUT], check=True, stdout=subprocess.DEVNULL)

    with postgres_warehouse.session() as session:
        write(session, 1)
        attempts = before_each_attempt(monkeypatch, lose)
        assert write(session, 2).replaced == 2
        assert len(attempts) == 3
        assert rows(session) == [(MARCH, "a", 2.0), (MARCH, "b", 2.0)]


def test_a_catalog_that_stays_locked_is_an_error_and_changes_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_PAUSE_SECONDS", 0.001)
    attempts = before_each_attempt(monkeypatch, lambda _: None)
    hold = """
import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("begin immediate")
print("held", flush=True)
input()
"""
    with warehouse.session() as session:
        write(session, 1)
        attempts.clear()
        with subprocess.Popen(
            [sys.executable, "-c", hold, warehouse.catalog], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            holder.stdout.readline()
            with pytest.raises(duckdb.TransactionException, match="locked"):
                write(session, 2)
            holder.communicate("\n")
        assert len(attempts) == 8
        assert rows(session)[0] == (MARCH, "a", 1.0)
        assert write(session, 3).replaced == 2


# Resources of sessions.


def test_sessions_release_their_files_and_folders(tmp_path: Path) -> None:
    warehouse = Warehouse(
        catalog=str(tmp_path / "new" / "catalog.sqlite"),
        data_path=str(tmp_path / "tables"),
        memory_limit="100MB",
        temp_directory=str(tmp_path / "spill"),
    )

    def spill() -> None:
        with warehouse.session() as session:
            session.connection.execute("create temp table big as select hash(i) as h, i from range(8_000_000) t (i)")
            (folder,) = (tmp_path / "spill").iterdir()
            assert list(folder.iterdir())
            assert folder.stat().st_mode & 0o077 == 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spill()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            spill()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_session_reads_the_writes_of_others_and_no_temporary_table_of_the_one_before(warehouse: Warehouse) -> None:
    with warehouse.session() as first:
        write(first, 1)
        first.bind({DEBTS: MARCH})
    with warehouse.session() as second, warehouse.session() as other:
        write(other, 2)
        assert rows(second)[0] == (MARCH, "a", 2.0)
        with pytest.raises(duckdb.CatalogException, match="debts"):
            second.connection.execute("from debts")


def test_a_session_reads_on_after_its_server_lost_idle_connections(
    postgres_warehouse: Warehouse, postgres_dsn: str
) -> None:
    with postgres_warehouse.session() as session:
        write(session, 1)
    subprocess.run(["psql", "-d", postgres_dsn, "-c", CUT], check=True, stdout=subprocess.DEVNULL)
    with postgres_warehouse.session() as session:
        assert len(rows(session)) == 2


def test_extensions_come_from_their_wheels_not_from_the_home_folder(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with warehouse.session() as session:
        assert write(session).rows == 2
    assert not (tmp_path / "home").exists()


def test_an_extension_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = bytearray(Path(extension_file("sqlite_scanner")).read_bytes())
    changed[len(changed) // 2] ^= 1
    folder = tmp_path / "extensions" / f"v{duckdb.__version__}"
    folder.mkdir(parents=True)
    (folder / "sqlite_scanner.duckdb_extension").write_bytes(changed)
    monkeypatch.setattr(extensions, "files", lambda _: tmp_path)
    with pytest.raises(duckdb.IOException, match="signature"):
        extension_file("sqlite_scanner")


@pytest.mark.parametrize("catalog", ["postgres:host=db password=x", "postgres:postgresql://sf:x@db/warehouse"])
def test_a_password_in_the_catalog_setting_is_refused(catalog: str, tmp_path: Path) -> None:
    with pytest.raises(PermanentFailure, match="PGPASSFILE"):
        Warehouse(catalog=catalog, data_path=str(tmp_path)).connect()


def test_a_copied_warehouse_is_read_and_written_in_its_new_folder(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.session() as session:
        write(session, 5)
    copy = tmp_path / "restored"
    copy.mkdir()
    shutil.copy2(tmp_path / "catalog.sqlite", copy)
    shutil.copytree(tmp_path / "tables", copy / "tables")
    shutil.rmtree(tmp_path / "tables")
    restored = Warehouse(
        catalog=str(copy / "catalog.sqlite"), data_path=str(copy / "tables"), temp_directory=str(copy / "spill")
    )
    with restored.session() as session:
        assert rows(session) == [(MARCH, "a", 5.0), (MARCH, "b", 5.0)]
        write(session, 7, APRIL)
        assert len(rows(session)) == 4
    assert not (tmp_path / "tables").exists()


def test_the_catalog_keeps_a_write_ahead_log(warehouse: Warehouse) -> None:
    with warehouse.session():
        pass
    with sqlite3.connect(warehouse.catalog) as catalog:
        assert catalog.execute("pragma journal_mode").fetchone() == ("wal",)


def test_an_engine_error_leaves_a_session_without_values(warehouse: Warehouse) -> None:
    with pytest.raises(EngineError) as caught, warehouse.session() as session:
        session.connection.execute("select cast(name as date) from (values ('DUPONT')) as t (name)")
    assert "DUPONT" not in "".join(traceback.format_exception(caught.value)).replace(SOURCE_LINE, "")
    with pytest.raises(EngineError, match="CatalogException: Catalog Error: Table with name nosuch does not exist"):
        warehouse.query("from nosuch")


SOURCE_LINE = "(values ('DUPONT'))"


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_folders_of_the_warehouse_are_private_and_published_folders_keep_the_umask(tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        with Warehouse(
            catalog=str(tmp_path / "w" / "c.sqlite"), data_path=str(tmp_path / "w" / "tables")
        ).session() as s:
            write(s)
        with replace_folder(tmp_path / "lists" / "2603") as draft:
            (draft / "liste.csv").write_text("x")
    finally:
        os.umask(former)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("w", "w/tables", "lists", "lists/2603")}
    assert modes == {"w": 0o700, "w/tables": 0o700, "lists": 0o700, "lists/2603": 0o777 & ~umask}
    assert stat.S_IMODE((tmp_path / "lists" / "2603" / "liste.csv").stat().st_mode) == 0o666 & ~umask


def test_a_folder_that_was_opened_to_a_group_stays_so(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir(mode=0o750)
    (tmp_path / "lists").chmod(0o750)
    assert make_private_folder(tmp_path / "lists" / "2603").parent.stat().st_mode & 0o777 == 0o750
