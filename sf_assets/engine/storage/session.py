"""What is done in the warehouse: read months by the plain names of tables, replace months by the results of queries."""

import json
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TypeVar, cast

import duckdb
import polars as pl

from sf_assets.engine.storage.catalog import Catalog, literal
from sf_assets.engine.storage.content import Scope, covers, put
from sf_assets.engine.storage.inputs import ASSET_INPUTS, Read, frame_of_inputs
from sf_assets.engine.storage.shape import (
    SchemaMismatch,
    declared,
    differences,
    found_in,
    lake_name,
    name_of,
    refuse_changed,
)
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.schema import Table

NOTHING: Mapping[str, object] = MappingProxyType({})

_ATTEMPTS = 8
_PAUSE_SECONDS = 0.1

_T = TypeVar("_T")


class OutOfScope(PermanentFailure):
    """A query gives rows of other months, or other sources, than those it replaces."""


@dataclass(frozen=True, slots=True)
class Write:
    """What one commit did to one table: `rows` took the place of `replaced` rows.

    `unchanged` counts those of both that are in months which already held them: these were left alone, with the snapshot
    that first wrote them, so that what was judged and accepted of them still holds. `seconds` runs from the start of the
    computation to the commit, the wait for other writers included.
    """

    table: str
    rows: int
    replaced: int
    snapshot: int
    seconds: float
    unchanged: int = 0


@dataclass(slots=True)
class Session:
    """One in-memory DuckDB database with the warehouse attached as `lake`, for one thread.

    `inputs` are the assets and months that were read for the next write, which records them, each with the snapshot that
    wrote what was read (None when there was no row).
    """

    catalog: Catalog
    connection: duckdb.DuckDBPyConnection
    inputs: dict[Read, int | None] = field(default_factory=dict)
    _pinned: bool = False
    _copies: dict[str, set[date]] = field(default_factory=dict)

    def bind(self, reads: Mapping[Table, date | None]) -> None:
        """Make each table readable by its plain name: one month of it without `month`, or all of it when None.

        A table, or a column, that is not stored yet reads as empty, with its declared type.
        """
        for table, month in reads.items():
            self._bind(table, months=None if month is None else (month,), with_month=month is None)

    def bind_months(self, tables: Iterable[Table], months: Collection[date]) -> None:
        """Make several months of each table readable by its plain name, `month` included."""
        for table in tables:
            self._bind(table, months=months, with_month=True)

    def months(self, table: str) -> list[date]:
        """Return the months that have rows in a table, in order; none when there is no such table yet."""
        if not found_in(self.connection, lake_name(table)):
            return []
        rows = self.connection.execute(f"select distinct month from {lake_name(table)} order by month").fetchall()
        return [month for (month,) in rows]

    @contextmanager
    def reading(self) -> Iterator[int]:
        """Read the warehouse as it stood at one snapshot, whose number is given, whatever others write meanwhile.

        After `pin`, that is the snapshot that was pinned.
        """
        current = "from lake.current_snapshot()"
        if self._pinned:
            yield self._number(current)
        else:
            with self._transaction():
                yield self._number(current)

    @contextmanager
    def copied(self, table: str, months: Collection[date], *, most: int) -> Iterator[None]:
        """Keep a copy in memory of months of a table that are read many times, unless they have more than `most` rows.

        Each reference to a table of the lake asks its catalog for the files, twenty milliseconds whatever it holds.
        """
        dates = ", ".join(literal(str(month)) for month in months)
        copy = _copy_of(table)
        rows = f"from {lake_name(table)} where month in ({dates}) limit {most + 1}" if months else ""
        if rows:
            self.connection.execute(f"create or replace temp table {copy} as {rows}")
            if self._number(f"select count(*) from {copy}") <= most:
                self._copies[table] = set(months)
        try:
            yield
        finally:
            self._copies.pop(table, None)
            self.connection.execute(f"drop table if exists {copy}")

    def source_of(self, table: str, months: Collection[date]) -> str:
        """Return the name under which months of a table are read: the copy when there is one, otherwise the lake's."""
        return _copy_of(table) if self._copies.get(table, set()).issuperset(months) else lake_name(table)

    def pin(self) -> None:
        """Read the warehouse as it stands now until the next write: what is read then is what was judged before."""
        if not self._pinned:
            self.connection.begin()
            # A transaction is of the snapshot of its first look at the catalog.
            self._number("from lake.current_snapshot()")
            self._pinned = True

    def unpin(self) -> None:
        """Read the warehouse as others leave it."""
        if self._pinned:
            self._pinned = False
            self.connection.commit()

    def replace(
        self,
        writes: Mapping[Table, str | pl.DataFrame],
        *,
        where: Mapping[str, object],
        author: str,
        message: str,
        extra: Mapping[str, object] = NOTHING,
        parameters: Mapping[str, object] = NOTHING,
        streamed: Collection[Table] = (),
        shared: Collection[Table] = (),
    ) -> dict[str, Write]:
        """Replace rows of several tables by those of queries or frames, all or nothing; return what was done, by table.

        `where` says which rows: column -> value, or list of values. `month` is always among them; another column
        restricts the tables that have it. A column of one value may be left out of the query. Queries are computed
        first, all on the same snapshot, while other writers go on; those of the tables `streamed` as they are written, for
        queries without parameters that only project temporary tables and would cost a copy. `author`, `message` and
        `extra` are kept with the snapshot. Tables are created, and grow by newly declared columns, as needed.

        Months whose rows are already there are left alone. What was read for the write is recorded with it, but for the
        tables `shared`, of which several assets write rows of the same month.

        Raises:
            SchemaMismatch: a result, or a table as stored, does not have the declared columns.
            OutOfScope: a result has rows that `where` does not cover.
            duckdb.Error: a query fails, or the catalog still refuses or does not answer after several attempts.

        """
        started = time.monotonic()
        scopes = _scopes_of(writes, where)
        with self.reading():
            for table, query in writes.items():
                self._compute(table, query, parameters, kind="view" if table in streamed else "table")
        self.unpin()
        if self.inputs:
            assets = [table.name for table in writes if table not in shared]
            months = cast("tuple[date, ...]", next(iter(scopes.values()))["month"])
            writes = {**writes, ASSET_INPUTS: frame_of_inputs(assets, months, self.inputs)}
            scopes[ASSET_INPUTS.name] = {"month": months, "asset": tuple(assets)}
            self._compute(ASSET_INPUTS, writes[ASSET_INPUTS], parameters, kind="table")
            self.inputs.clear()
        for table in writes:
            self._check(table, scopes[table.name])

        def write() -> dict[str, tuple[int, int, int]]:
            counts = {
                table.name: put(self.connection, table, scopes[table.name], _result_of(table)) for table in writes
            }
            self.connection.execute(
                "call lake.set_commit_message($author, $message, extra_info => $extra)",
                {"author": author, "message": message, "extra": json.dumps(dict(extra), default=str)},
            )
            return counts

        counts = self._commit(write)
        # A replacement of nothing by nothing commits no snapshot.
        snapshot = self._number(
            "select coalesce((from lake.last_committed_snapshot()), (from lake.current_snapshot()))"
        )
        seconds = time.monotonic() - started
        for table in writes:
            self.connection.execute(f"drop {'view' if table in streamed else 'table'} {_result_of(table)}")
        return {
            name: Write(name, rows, replaced, snapshot, seconds, unchanged)
            for name, (replaced, rows, unchanged) in counts.items()
        }

    def _bind(self, table: Table, *, months: Collection[date] | None, with_month: bool) -> None:
        found = found_in(self.connection, lake_name(table.name))
        refuse_changed(table, found)
        columns = ", ".join(
            name_of(name) if name in found else f"cast(null as {type_}) as {name_of(name)}"
            for name, type_ in declared(table).items()
            if with_month or name != "month"
        )
        dates = ", ".join(literal(str(month)) for month in months or ())
        # A young warehouse has no month to learn from: none is asked for, and none is found.
        wanted = "true" if months is None else f"month in ({dates})" if dates else "false"
        rows = f"from {lake_name(table.name)} where {wanted}" if found else "where false"
        self.connection.execute(f"create or replace temp view {name_of(table.name)} as select {columns} {rows}")

    def _compute(self, table: Table, rows: str | pl.DataFrame, parameters: Mapping[str, object], *, kind: str) -> None:
        if isinstance(rows, pl.DataFrame):
            self.connection.register("given rows", rows.to_arrow())
            rows = 'from "given rows"'
        named = {name for statement in self.connection.extract_statements(rows) for name in statement.named_parameters}
        used = {name: value for name, value in parameters.items() if name in named}
        self.connection.execute(f"create or replace temp {kind} {_result_of(table)} as {rows}", used)

    def _check(self, table: Table, scope: Scope) -> None:
        """Refuse a result that does not have the declared columns, or has rows out of scope."""
        expected, found = declared(table), found_in(self.connection, _result_of(table))
        # DuckDB makes an INTEGER of a column that is only NULL: it has no type of its own, and fits any.
        for name, type_ in found.items():
            if type_ == "INTEGER" != expected.get(name, type_) and not self._count(table, name):
                found[name] = expected[name]
        left_out = {name: expected[name] for name, values in scope.items() if len(values) == 1 and name not in found}
        if told := differences(expected, found | left_out):
            raise SchemaMismatch(f"{table.name}: the query does not give the declared columns. {told}")
        for name in [name for name in scope if name in found]:
            rows = self.connection.execute(
                f"select distinct {name_of(name)} from {_result_of(table)} "
                f"where ({covers({name: scope[name]})}) is not true limit 5"
            ).fetchall()
            if rows:
                wanted, got = ", ".join(map(str, scope[name])), ", ".join(str(value) for (value,) in rows)
                raise OutOfScope(
                    f"{table.name}: the query gives rows not replaced. {name}: expected {wanted}, found {got}"
                )

    def _commit(self, write: Callable[[], _T]) -> _T:
        """Write in one transaction, other writers waiting; after a passing trouble, start again on a fresh catalog."""
        attempt = 1
        while True:
            try:
                if attempt > 1:
                    self.catalog.attach(self.connection)
                with self.catalog.one_writer(self.connection), self._transaction():
                    return write()
            except duckdb.Error as error:
                if attempt == _ATTEMPTS or not _may_pass(error):
                    raise
            time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - keeps retries apart, hides nothing
            attempt += 1

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.begin()
        try:
            yield
            self.connection.commit()
        except BaseException:
            # Nothing is left to roll back after a failed commit, or without a server.
            with suppress(duckdb.Error):
                self.connection.rollback()
            raise

    def _count(self, table: Table, column: str) -> int:
        return self._number(f"select count({name_of(column)}) from {_result_of(table)}")

    def _number(self, sql: str, parameters: Mapping[str, object] = NOTHING) -> int:
        row = self.connection.execute(sql, dict(parameters)).fetchone()
        return int(row[0]) if row else 0


def _may_pass(error: duckdb.Error) -> bool:
    """Tell a refused commit, or a catalog that does not answer, from an error of logic, which has a type of its own.

    A PostgreSQL server that goes away shows as the bare base class.
    """
    return isinstance(error, duckdb.TransactionException | duckdb.IOException) or type(error) is duckdb.Error


def _result_of(table: Table) -> str:
    return name_of(f"result of {table.name}")


def _copy_of(table: str) -> str:
    return f"temp.{name_of(f'copy of {table}')}"


def _scopes_of(tables: Iterable[Table], where: Mapping[str, object]) -> dict[str, Scope]:
    """Return the scope of each table: what it has of the columns of `where`."""
    values = {name: tuple(value) if isinstance(value, list | tuple) else (value,) for name, value in where.items()}
    scopes: dict[str, Scope] = {
        table.name: {name: found for name, found in values.items() if name in ("month", *table.column_names)}
        for table in tables
    }
    known = {name for scope in scopes.values() for name in scope}
    if "month" not in known or known != set(where) or not all(values.values()):
        raise ValueError(
            f"{', '.join(scopes)}: expected values of month, and of columns they have, found {dict(where)}"
        )
    return scopes
