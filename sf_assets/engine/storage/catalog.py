"""Where the warehouse is: its DuckLake catalog, in SQLite or PostgreSQL, and the lock that its writers take in turn."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.vocabulary.failures import PermanentFailure

# Any number does, as long as no other application takes it in the same PostgreSQL database.
_ADVISORY_LOCK = 7_375_726_965


@dataclass(frozen=True, slots=True)
class Catalog:
    """A DuckLake catalog: the path of a SQLite file, or `postgres:` followed by a libpq string without password.

    Left alone, two DuckLake transactions that replace the same still-empty month both succeed and the month is there
    twice; transactions that replace different months of one table refuse each other; writers that meet on a SQLite
    catalog find it locked. Hence `one_writer`, around the whole of a transaction, its commit included.
    """

    location: str
    data_path: str

    def __post_init__(self) -> None:
        # Connection strings are repeated in error messages and in Dagster's pages.
        if re.search(r"password\s*=|://[^/@]*:[^/@]*@", self.location):
            raise PermanentFailure("The catalog setting contains a password. Put it in the file that PGPASSFILE names.")

    @property
    def extensions(self) -> tuple[str, str]:
        """The DuckDB extensions it takes."""
        return ("ducklake", "postgres_scanner" if self._libpq else "sqlite_scanner")

    @property
    def _libpq(self) -> str:
        return self.location.removeprefix("postgres:") if self.location.startswith("postgres:") else ""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the warehouse as `lake`, for the first time or again; create it when there is none."""
        for database in ("lake", "guard"):
            connection.execute(f"detach database if exists {database}")
        try:
            connection.execute(self._attachment(create=False))
        except duckdb.InvalidInputException:
            # Several processes may find at once that there is no warehouse yet.
            with self.one_writer(connection):
                connection.execute(self._attachment(create=True))

    @contextmanager
    def one_writer(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Keep every other writer of this warehouse waiting. The lock does not outlive the process that holds it."""
        if self._libpq:
            connection.execute(f"attach if not exists {sql_literal(self._libpq)} as guard (type postgres)")
            # A transaction of its own, so that the lock is released after the lake's commit, not by it.
            with connection.cursor() as guard:
                guard.begin()
                try:
                    guard.execute(f"from postgres_query('guard', 'select pg_advisory_xact_lock({_ADVISORY_LOCK})')")
                    yield
                finally:
                    # A cursor closed within a transaction aborts the whole process if its server is gone.
                    with suppress(duckdb.Error):
                        guard.rollback()
        else:
            with Path(f"{self.location}.lock").open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield

    def _attachment(self, *, create: bool) -> str:
        if self._libpq:
            source, journal = f"postgres:{self._libpq}", ""
        else:
            make_private_folder(Path(self.location).parent)
            # Without a write-ahead log, a long read keeps every commit waiting.
            source, journal = f"sqlite:{Path(self.location).resolve()}", "meta_journal_mode 'WAL', "
        data = str(make_private_folder(Path(self.data_path)).resolve())
        if not self._libpq and Path(self.location).resolve().parent == Path(data).parent:
            # Catalog and files in one folder are moved, copied and restored together: the place of the day counts.
            journal += "override_data_path true, "
        # Nothing is inlined in the catalog: small writes follow the same path as large ones.
        return (
            f"attach {sql_literal(f'ducklake:{source}')} as lake (data_path {sql_literal(data)}, {journal}"
            f"data_inlining_row_limit 0, create_if_not_exists {create})"
        )


def sql_literal(text: str) -> str:
    """Return a text as a SQL literal, for statements that take no parameter."""
    return "'" + text.replace("'", "''") + "'"
