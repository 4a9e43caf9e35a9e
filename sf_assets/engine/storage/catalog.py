"""The DuckLake catalog of the warehouse, in SQLite or PostgreSQL, and the lock that lets one process write at a time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.locks import file_lock, holder_of, this_process, wait_for_lock
from sf_assets.engine.storage.objects import is_remote
from sf_assets.engine.storage.room import is_full_disk
from sf_assets.vocabulary.failures import PermanentFailure

# An arbitrary number that no other application may use as an advisory lock in the same PostgreSQL database.
_ADVISORY_LOCK = 7_375_726_965
# A lock of 64 bits is stored in two halves.
_HOLDER = read_sql("sf_assets.engine.storage", "lock_holder", lock=str(_ADVISORY_LOCK))


@dataclass(frozen=True, slots=True)
class Catalog:
    """A DuckLake catalog: the path of a SQLite file, or `postgres:` followed by a libpq string without password.

    With a `snapshot` the warehouse is attached as it was then, and nothing can be written to it.

    Every transaction runs inside `one_writer`, commit included, because DuckLake does not isolate writers: two that
    replace the same empty month both succeed, and its rows are stored twice; two that replace different months of one
    table conflict; two on a SQLite catalog fail because it is locked.

    There is one lock, not one per table: each write also replaces its rows of `asset_inputs`, and DuckLake compares writers
    by table, not by row. It is short instead. On a shared catalog files are written before it is taken (`ahead.py`); on
    SQLite, whose writers share one machine and its cores, inside, which saves reading each file again to register it.
    """

    location: str
    data_path: str
    snapshot: int | None = None

    def __post_init__(self) -> None:
        # Connection strings appear in error messages and in Dagster's pages.
        if re.search(r"password\s*=|://[^/@]*:[^/@]*@", self.location):
            raise PermanentFailure("The catalog setting contains a password. Put it in the file that PGPASSFILE names.")

    @property
    def extensions(self) -> tuple[str, str]:
        """The DuckDB extensions that the catalog needs."""
        return ("ducklake", "postgres_scanner" if self._libpq else "sqlite_scanner")

    @property
    def is_shared(self) -> bool:
        """Whether writers of several machines may use the catalog."""
        return bool(self._libpq)

    @property
    def _libpq(self) -> str:
        return self.location.removeprefix("postgres:") if self.location.startswith("postgres:") else ""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the warehouse as `lake`, again if it is attached already; create it if it does not exist."""
        for database in ("lake", "guard"):
            connection.execute(f"detach database if exists {database}")
        try:
            connection.execute(self._attachment(create=False))
        except duckdb.InvalidInputException:
            # Several processes may find at once that there is no warehouse yet.
            with self.one_writer(connection, "creation of the warehouse"):
                connection.execute(self._attachment(create=True))

    @contextmanager
    def one_writer(self, connection: duckdb.DuckDBPyConnection, purpose: str) -> Iterator[None]:
        """Keep every other writer of this warehouse waiting. The lock does not outlive the process that holds it.

        `purpose` says in a few words what is written, to those that wait.

        Raises:
            WarehouseLocked: another writer kept the lock for too long.

        """
        if self._libpq:
            connection.execute(f"attach if not exists {sql_literal(self._libpq)} as guard (type postgres)")
            # The lock has its own transaction, so that it is released after the commit of the warehouse, not by it.
            with connection.cursor() as guard:
                guard.begin()
                try:
                    wait_for_lock(lambda: _try_advisory(guard), lambda: _advisory_holder(guard) or "nobody", purpose)
                    # PostgreSQL cuts the name after 63 characters.
                    _server(guard, f"select set_config('application_name', {sql_literal(this_process(purpose))}, true)")
                    yield
                finally:
                    # Closing a cursor inside a transaction aborts the whole process if the server is gone.
                    with suppress(duckdb.Error):
                        guard.rollback()
        else:
            with file_lock(self._lock_file, purpose):
                yield

    def writer(self, connection: duckdb.DuckDBPyConnection) -> str | None:
        """Return which process holds the lock of the writers; None when nobody writes."""
        if not self._libpq:
            return holder_of(self._lock_file)
        connection.execute(f"attach if not exists {sql_literal(self._libpq)} as guard (type postgres)")
        return _advisory_holder(connection)

    @contextmanager
    def database(self, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
        """Attach the database of the catalog, whose tables DuckLake hides, for the block; yield the name that it has."""
        place, kind = (self._libpq, "postgres") if self._libpq else (str(Path(self.location).resolve()), "sqlite")
        connection.execute(f"attach {sql_literal(place)} as catalog_database (type {kind})")
        try:
            yield "catalog_database"
        finally:
            # After the loss of the server, or of what the block began, the session ends with an error anyway.
            with suppress(duckdb.Error):
                connection.execute("detach catalog_database")

    @property
    def _lock_file(self) -> Path:
        return Path(f"{self.location}.lock")

    def _attachment(self, *, create: bool) -> str:
        if self._libpq:
            source, journal = f"postgres:{self._libpq}", ""
        else:
            make_private_folder(Path(self.location).parent)
            # Without a write-ahead log, a long read makes every commit wait.
            source, journal = f"sqlite:{Path(self.location).resolve()}", "meta_journal_mode 'WAL', "
        if is_remote(self.data_path):
            data = self.data_path.rstrip("/") + "/"
        else:
            data = str(make_private_folder(Path(self.data_path)).resolve())
            if not self._libpq and Path(self.location).resolve().parent == Path(data).parent:
                # A catalog beside its files is moved and restored with them: the configured path wins over the stored one.
                journal += "override_data_path true, "
        if self.snapshot is not None:
            journal += f"snapshot_version {self.snapshot}, "
        # No rows are stored in the catalog itself: small writes take the same path as large ones.
        return (
            f"attach {sql_literal(f'ducklake:{source}')} as lake (data_path {sql_literal(data)}, {journal}"
            f"data_inlining_row_limit 0, create_if_not_exists {create})"
        )


def _server(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query that the PostgreSQL server answers."""
    return connection.execute(f"from postgres_query('guard', {sql_literal(query)})").fetchall()


def _try_advisory(guard: duckdb.DuckDBPyConnection) -> bool:
    return bool(_server(guard, f"select pg_try_advisory_xact_lock({_ADVISORY_LOCK}) as taken")[0][0])


def _advisory_holder(connection: duckdb.DuckDBPyConnection) -> str | None:
    rows = _server(connection, _HOLDER)
    return f"process {rows[0][0]}" if rows else None


# What DuckDB says of a server that closed the connection, whichever class of error it raises then.
_LOST = (
    "Failed to prepare query",
    "Failed to execute query",
    "Unable to connect to Postgres",
    "server closed the connection",
)
# Answers of an object store that ask for another try: too slow, too many at once.
_PASSING = (408, 429)


def is_transient(error: duckdb.Error) -> bool:
    """Return whether an error is a refused commit or a catalog that does not answer, which a retry may solve.

    The loss of a PostgreSQL server raises the base class itself, or the class of the part of the engine that noticed it. An
    object store that refuses a key, or has no such object, will do so again; a full disk stays full.
    """
    answer = getattr(error, "status_code", None)
    if is_full_disk(error) or (answer in range(400, 500) and answer not in _PASSING):
        return False
    refused = isinstance(error, duckdb.TransactionException | duckdb.IOException) or type(error) is duckdb.Error
    return refused or any(text in str(error) for text in _LOST)


def is_of_store(error: duckdb.Error) -> bool:
    """Return whether an object store did not answer a request, or refused it: DuckDB has repeated it for a minute already."""
    return isinstance(error, duckdb.HTTPException) or " error for HTTP " in str(error)


def sql_literal(text: str) -> str:
    """Return a text as a SQL literal, for statements that take no parameter."""
    return "'" + text.replace("'", "''") + "'"
