"""A session of the warehouse: reads months under the plain names of tables, replaces months by the results of queries."""

import json
import random
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import TypeVar, cast

import duckdb
import polars as pl

from sf_assets.engine.storage.ahead import Ahead
from sf_assets.engine.storage.catalog import Catalog, is_of_store, is_transient
from sf_assets.engine.storage.content import replace_scope, require_result, scope_condition, scopes_of, write_ahead
from sf_assets.engine.storage.inputs import ASSET_INPUTS, AssetMonth, input_rows
from sf_assets.engine.storage.shape import (
    column_types,
    declared_types,
    lake_name,
    require_compatible_columns,
    sql_identifier,
)
from sf_assets.engine.storage.writes import Write
from sf_assets.vocabulary.schema import Table

NOTHING: Mapping[str, object] = MappingProxyType({})

_ATTEMPTS = 8
# Of a write whose files an object store does not take: each has lasted minutes.
_ATTEMPTS_WITHOUT_STORE = 2
_PAUSE_SECONDS = 0.1

_T = TypeVar("_T")


@dataclass(slots=True)
class Session:
    """One in-memory DuckDB database with the warehouse attached as `lake`, for one thread.

    `inputs` are the assets and months read for the next write, each with the snapshot that wrote the rows read (None when
    there were none); `readers` are the written months that read an input, where not all of them do. That write stores
    them in `asset_inputs`. Tables `outside` are no part of the deployment: they read as empty.
    """

    catalog: Catalog
    connection: duckdb.DuckDBPyConnection
    inputs: dict[AssetMonth, int | None] = field(default_factory=dict)
    readers: dict[AssetMonth, set[date]] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()
    _pinned: bool = False
    _copies: dict[str, set[date]] = field(default_factory=dict)

    def bind(self, reads: Mapping[Table, date | None], *, pinned: bool = False) -> None:
        """Make each table readable under its plain name: one month of it, without the column `month`, or all of it when None.

        A table that is not stored yet is empty; a column that is not stored yet is NULL. Rows bound as `pinned` are those of
        the current snapshot for good, also in the transaction of a write.
        """
        version = self._number("from lake.current_snapshot()") if pinned else None
        for table, month in reads.items():
            months = None if month is None else (month,)
            self._bind(table, months=months, with_month=month is None, version=version)

    def bind_months(self, tables: Iterable[Table], months: Collection[date]) -> None:
        """Make several months of each table readable under its plain name, with the column `month`."""
        for table in tables:
            self._bind(table, months=months, with_month=True)

    def months(self, table: str) -> list[date]:
        """Return the months that have rows in a table, sorted; none when the table does not exist yet."""
        if table in self.outside or not column_types(self.connection, lake_name(table)):
            return []
        query = f"select distinct month from {lake_name(table)} order by month"
        return [month for (month,) in self.connection.execute(query).fetchall()]

    @contextmanager
    def reading(self) -> Iterator[int]:
        """Read one snapshot of the warehouse inside the block, whatever others write meanwhile; yield its number.

        After `pin`, it is the pinned snapshot.
        """
        with nullcontext() if self._pinned else self.transaction():
            yield self._number("from lake.current_snapshot()")

    @contextmanager
    def copied(self, table: str, months: Collection[date], *, most: int) -> Iterator[None]:
        """Keep a copy in memory of months of a table that are read many times, unless they have more than `most` rows.

        Each reference to a table of the lake asks its catalog for the files, twenty milliseconds. The copy also has DuckLake's
        column `snapshot_id`. A table that is not stored yet has no copy.
        """
        copy = _copy_of(table)
        if months and column_types(self.connection, lake_name(table)):
            rows = f"from {lake_name(table)} where {scope_condition({'month': months})} limit {most + 1}"
            self.connection.execute(f"create or replace temp table {copy} as select *, snapshot_id {rows}")
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

    def on_copies(self, query: str, months: Collection[date]) -> str:
        """Return a query that reads the copies of the session where it reads `months` of `lake.<table>`."""
        return re.sub(r"\blake\.(\w+)", lambda found: self.source_of(found[1], months), query)

    def pin(self) -> None:
        """Read the current snapshot until the next write, so that the rows read are those whose verdicts were read before."""
        if not self._pinned:
            self.connection.begin()
            # DuckLake chooses the snapshot of a transaction at its first access to the catalog.
            self._number("from lake.current_snapshot()")
            self._pinned = True

    def writer(self) -> str | None:
        """Return which process holds the lock of the warehouse's writers; None when nobody writes."""
        return self.catalog.writer(self.connection)

    def unpin(self) -> None:
        """Read the latest snapshot again."""
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
        verify: Callable[[], None] = lambda: None,
    ) -> dict[str, Write]:
        """Replace rows of several tables by the rows of queries or frames, in one transaction; return one `Write` per table.

        `where` selects the rows to replace: column -> value, or list of values. It always contains `month`; any other
        column restricts the tables that have it. A query may leave out a column that has one value in `where`.

        Queries are computed before the transaction, all on the same snapshot, while other processes may write. Queries of
        the tables `streamed` are computed where they are written instead, which avoids a copy of their rows: only for
        queries without parameters that select from temporary tables, from files or from tables bound as `pinned`. A shared
        catalog's files are written before the transaction too. `verify` is called before the commit, and prevents it by an
        exception.

        `author`, `message` and `extra` are stored with the snapshot. Missing tables and newly declared columns are created.
        Months that already have the same rows are not written again. The session's `inputs` are stored with the write,
        except for the tables `shared`, of which several assets write rows of the same month.

        Raises:
            SchemaMismatch: a result, or a stored table, does not have the declared columns.
            OutOfScope: a result has rows outside of `where`.
            duckdb.Error: a query fails, or the catalog refuses or does not answer after eight attempts.

        """
        started = time.monotonic()
        scopes = scopes_of(writes, where)
        with self.reading():
            for table, query in writes.items():
                self._compute(table, query, parameters, kind="view" if table in streamed else "table")
        self.unpin()
        if self.inputs:
            assets = [table.name for table in writes if table not in shared]
            months = cast("tuple[date, ...]", next(iter(scopes.values()))["month"])
            writes = {**writes, ASSET_INPUTS: input_rows(assets, months, self.inputs, self.readers)}
            scopes[ASSET_INPUTS.name] = {"month": months, "asset": tuple(assets)}
            self._compute(ASSET_INPUTS, writes[ASSET_INPUTS], parameters, kind="table")
            self.inputs.clear()
            self.readers.clear()
        for table in writes:
            require_result(self.connection, table, scopes[table.name], _result_of(table))
        ahead: dict[Table, Ahead | None] = {}
        for table in writes if self.catalog.is_shared else ():
            act = partial(write_ahead, self.connection, table, scopes[table.name], _result_of(table))
            ahead[table] = self._retried(partial(act, self.catalog.data_path))

        def write() -> dict[str, tuple[int, int, int]]:
            counts = {
                table.name: replace_scope(
                    self.connection, table, scopes[table.name], _result_of(table), ahead.get(table)
                )
                for table in writes
            }
            verify()
            self.connection.execute(
                "call lake.set_commit_message($author, $message, extra_info => $extra)",
                {"author": author, "message": message, "extra": json.dumps(dict(extra), default=str)},
            )
            return counts

        counts = self._retried(partial(self._alone, write, message))
        # A replacement of nothing by nothing commits no snapshot.
        snapshot = self._number("from lake.last_committed_snapshot()") or self._number("from lake.current_snapshot()")
        seconds = time.monotonic() - started
        for table in writes:
            self.connection.execute(f"drop {'view' if table in streamed else 'table'} {_result_of(table)}")
        return {
            name: Write(name, rows, replaced, snapshot, seconds, unchanged)
            for name, (replaced, rows, unchanged) in counts.items()
        }

    def _bind(
        self, table: Table, *, months: Collection[date] | None, with_month: bool, version: int | None = None
    ) -> None:
        found = {} if table.name in self.outside else column_types(self.connection, lake_name(table.name))
        require_compatible_columns(table, found)
        columns = ", ".join(
            sql_identifier(name) if name in found else f"cast(null as {type_}) as {sql_identifier(name)}"
            for name, type_ in declared_types(table).items()
            if with_month or name != "month"
        )
        # In a new warehouse, models ask for no month at all: an empty list is not valid SQL.
        condition = "true" if months is None else scope_condition({"month": months}) if months else "false"
        of_snapshot = "" if version is None else f" at (version => {version})"
        rows = f"from {lake_name(table.name)}{of_snapshot} where {condition}" if found else "where false"
        self.connection.execute(f"create or replace temp view {sql_identifier(table.name)} as select {columns} {rows}")

    def _compute(self, table: Table, rows: str | pl.DataFrame, parameters: Mapping[str, object], *, kind: str) -> None:
        if isinstance(rows, pl.DataFrame):
            self.connection.register("frame of rows", rows.to_arrow())
            rows = 'from "frame of rows"'
        named = {name for statement in self.connection.extract_statements(rows) for name in statement.named_parameters}
        used = {name: value for name, value in parameters.items() if name in named}
        self.connection.execute(f"create or replace temp {kind} {_result_of(table)} as {rows}", used)

    def _alone(self, write: Callable[[], _T], purpose: str) -> _T:
        """Write in one transaction, other writers waiting."""
        with self.catalog.one_writer(self.connection, purpose), self.transaction():
            return write()

    def _retried(self, act: Callable[[], _T]) -> _T:
        """Return what `act` returns; after a transient error, attach the catalog again and retry."""
        attempt = 1
        while True:
            try:
                if attempt > 1:
                    self.catalog.attach(self.connection)
                return act()
            except duckdb.Error as error:
                most = _ATTEMPTS_WITHOUT_STORE if is_of_store(error) else _ATTEMPTS
                if attempt >= most or not is_transient(error):
                    raise
            time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - spreads retries, no secret
            attempt += 1

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block writes, or nothing of it when it raises."""
        self.connection.begin()
        try:
            yield
            self.connection.commit()
        except BaseException:
            # After a failed commit or the loss of the server, the transaction has ended already.
            with suppress(duckdb.Error):
                self.connection.rollback()
            raise

    def _number(self, sql: str, parameters: Mapping[str, object] = NOTHING) -> int:
        row = self.connection.execute(sql, dict(parameters)).fetchone()
        return int(row[0] or 0) if row else 0


def _result_of(table: Table) -> str:
    return sql_identifier(f"result of {table.name}")


def _copy_of(table: str) -> str:
    return f"temp.{sql_identifier(f'copy of {table}')}"
