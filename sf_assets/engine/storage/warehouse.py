"""The warehouse: opens sessions and limits their memory, threads and temporary files."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from tempfile import gettempdir

import duckdb
import polars as pl

from sf_assets.engine.errors import redact_engine_errors
from sf_assets.engine.storage.catalog import Catalog
from sf_assets.engine.storage.extensions import extension_file, open_object_store
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.objects import ObjectStore, is_remote
from sf_assets.engine.storage.room import room_of_engine
from sf_assets.engine.storage.scratch import drop_scratch, make_scratch
from sf_assets.engine.storage.session import NOTHING, Session

# At most one idle database, by process and settings: a child process must not use the database of its parent.
_idle: dict[tuple[int, "Warehouse"], duckdb.DuckDBPyConnection] = {}


def close_idle() -> None:
    """Close the database that waits for the next session, with its connections to the server of the catalog."""
    for key in list(_idle):
        if database := _idle.pop(key, None):
            database.close()


@dataclass(frozen=True)
class Warehouse:
    """The location of the tables, and the limits of one session.

    `catalog` is the path of a SQLite file, or `postgres:` followed by a libpq string without password, which libpq reads
    from the file that PGPASSFILE names. `data_path` is the folder of Parquet files, or an address in the store `objects`.
    A session that needs more than `memory_limit` spills to `temp_directory`, by default the system's; without a limit, or a
    number of `threads`, those of DuckDB hold. With a `snapshot` every table is as it was then, and nothing can be written.
    Tables `outside` are no part of the deployment: they read as empty.
    """

    catalog: str
    data_path: str
    memory_limit: str = ""
    threads: int = 0
    temp_directory: str = ""
    snapshot: int | None = None
    outside: frozenset[str] = frozenset()
    objects: ObjectStore | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session, closed at the end of the block.

        Attaching the warehouse and reading its catalog takes most of a second, and a run opens many sessions: the database
        of the last session is reused by the next, unless the session failed. Temporary tables end with their session.

        Raises:
            FullDisk: the disk of the temporary files or of the tables has no room.
            EngineError: instead of an engine's own error, whose message quotes values and would go to logs and notices.

        """
        key = (os.getpid(), self)
        with redact_engine_errors():
            database = _idle.pop(key, None) or self.connect()
        try:
            with redact_engine_errors(), self._room(), database.cursor() as connection:
                session = Session(self._catalog, connection, outside=self.outside)
                yield session
                session.unpin()
        except BaseException:
            database.close()
            raise
        close_idle()
        _idle[key] = database

    def query(self, sql: str, parameters: Mapping[str, object] = NOTHING) -> pl.DataFrame:
        """Return the rows of one query, in which a table is `lake.<table>` or `lake.<table> at (version => <snapshot>)`."""
        with self.session() as session:
            return session.connection.execute(sql, dict(parameters)).pl()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection to a new DuckDB database with the warehouse attached as `lake`; the caller closes it.

        Extensions are loaded from their wheels, without download. Temporary files are readable by this user only, and are
        removed with the connection.
        """
        if self.temp_directory:
            make_private_folder(Path(self.temp_directory))
        spill, lock = make_scratch(self.temp_directory)
        limits: dict[str, str | int] = {"memory_limit": self.memory_limit, "threads": self.threads}
        connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_unsigned_extensions": True,  # `extension_file` has verified them
                "temp_directory": str(spill),
                **{name: limit for name, limit in limits.items() if limit},
            }
        )
        # Unlike `weakref.finalize`, this also runs at the end of the child processes that Dagster starts for its steps.
        Finalize(connection, drop_scratch, args=(spill, lock), exitpriority=0)
        try:
            for extension in self._catalog.extensions:
                connection.load_extension(extension_file(extension))
            if self.objects and is_remote(self.data_path):
                open_object_store(connection, self.objects)
            self._catalog.attach(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _room(self) -> AbstractContextManager[None]:
        return room_of_engine(Path(self.temp_directory or gettempdir()), self.data_path)

    @property
    def _catalog(self) -> Catalog:
        return Catalog(self.catalog, self.data_path, self.snapshot)
