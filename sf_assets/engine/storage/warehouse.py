"""The warehouse: opens sessions, and bounds what each takes from the machine."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path

import duckdb
import polars as pl

from sf_assets.engine.errors import redact_engine_errors
from sf_assets.engine.storage.catalog import Catalog
from sf_assets.engine.storage.extensions import extension_file
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.scratch import drop_scratch, make_scratch
from sf_assets.engine.storage.session import NOTHING, Session

# At most one database, idle, by process and settings: a child process must not use its parent's.
_last: dict[tuple[int, str], duckdb.DuckDBPyConnection] = {}


@dataclass(frozen=True)
class Warehouse:
    """Where tables are, and what one session may take from the machine.

    `catalog` is the path of a SQLite file, or `postgres:` followed by a libpq string without password: PGPASSFILE says
    where libpq finds it. `data_path` is the folder of Parquet files. `temp_directory` receives what does not fit in
    `memory_limit`; empty means the system's.
    """

    catalog: str
    data_path: str
    memory_limit: str = "4GB"
    threads: int = 2
    temp_directory: str = ""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session, closed whatever happens.

        Attaching a lake and reading its catalog takes most of a second, and a run opens many sessions: the database of
        the last one is kept for the next, unless the session failed. Temporary tables do not outlive their session.

        Raises:
            EngineError: in the place of an engine's own error, whose text quotes values and goes to logs and notices.

        """
        key = (os.getpid(), repr(self))
        with redact_engine_errors():
            database = _last.pop(key, None) or self.connect()
        try:
            with redact_engine_errors(), database.cursor() as connection:
                session = Session(self._catalog, connection)
                yield session
                session.unpin()
        except BaseException:
            database.close()
            raise
        for other in list(_last):
            if idle := _last.pop(other, None):
                idle.close()
        _last[key] = database

    def query(self, sql: str, parameters: Mapping[str, object] = NOTHING) -> pl.DataFrame:
        """Return the rows of one query; a table is `lake.<table>`, or `lake.<table> at (version => <snapshot>)`."""
        with self.session() as session:
            return session.connection.execute(sql, dict(parameters)).pl()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection to a DuckDB database of its own with the warehouse attached as `lake`; to be closed.

        Nothing is downloaded: extensions are loaded from their wheels. What spills to disk is readable by this user
        only, and goes away with the connection.
        """
        if self.temp_directory:
            make_private_folder(Path(self.temp_directory))
        spill, lock = make_scratch(self.temp_directory)
        connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "memory_limit": self.memory_limit,
                "threads": self.threads,
                "temp_directory": str(spill),
            }
        )
        # Unlike `weakref.finalize`, this also acts at the end of the processes that Dagster makes for its steps.
        Finalize(connection, drop_scratch, args=(spill, lock), exitpriority=0)
        try:
            for extension in self._catalog.extensions:
                connection.load_extension(extension_file(extension))
            self._catalog.attach(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def _catalog(self) -> Catalog:
        return Catalog(self.catalog, self.data_path)
