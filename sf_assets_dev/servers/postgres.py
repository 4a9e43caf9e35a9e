"""A PostgreSQL server on a socket of its own, in a temporary folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sf_assets_dev.servers.missing import NoServer


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: its `programs`, its `folder`, and the `user` that owns it (None: this one)."""

    programs: Path
    folder: Path
    user: str | None

    @property
    def dsn(self) -> str:
        """The libpq string of its first database, of the user `sf` without password."""
        return f"host={self.folder} user=sf dbname=postgres"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs on its data."""
        # Not by `user=` of subprocess, which would copy the page tables of this process: a large one is refused that.
        as_user = (
            ("setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--") if self.user else ()
        )
        subprocess.run(  # noqa: S603 - programs of PostgreSQL
            [*as_user, str(self.programs / program), "-D", str(self.folder / "data"), *arguments],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def restart(self) -> None:
        """End every connection as a crash would, and start again."""
        self.run("pg_ctl", "restart", "-w", "-m", "immediate", "-l", str(self.folder / "log"))


@contextmanager
def postgres(address: str = "", password: str = "") -> Iterator[Postgres]:
    """Start a server and yield it; with an `address` of this machine, it is on its usual port there too, with `password`.

    Raises:
        NoServer: the programs of PostgreSQL are not installed.

    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise NoServer("no PostgreSQL server in /usr/lib/postgresql (Debian package postgresql)")
    # Temporary folders of a run may be closed to other users, and a server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="sf_postgres_"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    server = Postgres(found[-1].parent, folder, user)
    try:
        server.run("initdb", "-U", "sf", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        # Data outlives a crash of the server, not of the machine.
        options = f"-c listen_addresses='{address}' -c unix_socket_directories='{folder}' -c fsync=off"
        server.run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        if address:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all sf 0.0.0.0/0 scram-sha-256\n")
            server.run("pg_ctl", "reload")
            statement = f"alter role sf password '{password}'"
            subprocess.run(["psql", "-q", "-d", server.dsn], input=statement, text=True, check=True)  # noqa: S603, S607
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.run("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(folder)


def create_database(dsn: str, name: str, template: str = "template1") -> str:
    """Create a database on the server of a libpq string, a copy of another one; return the libpq string of the new one."""
    statement = f"create database {name} template {template}"
    subprocess.run(["psql", "-q", "-d", dsn, "-c", statement], check=True)  # noqa: S603, S607
    return dsn.replace("dbname=postgres", f"dbname={name}")
