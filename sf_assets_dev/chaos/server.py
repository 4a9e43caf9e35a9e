"""A PostgreSQL server of its own, in a temporary folder, which can be restarted at once."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its `programs`, its `folder`, and the `user` that owns it (none: this one)."""

    programs: Path
    folder: Path
    user: str | None

    @property
    def dsn(self) -> str:
        """The libpq string of its database."""
        return f"host={self.folder} user=sf dbname=postgres"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs on its data."""
        subprocess.run(  # noqa: S603 - programs of PostgreSQL
            [self.programs / program, "-D", str(self.folder / "data"), *arguments],
            user=self.user,
            extra_groups=() if self.user else None,
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def restart(self) -> None:
        """End every connection as a crash would, and start again."""
        self.run("pg_ctl", "restart", "-w", "-m", "immediate", "-l", str(self.folder / "log"))


@contextmanager
def server() -> Iterator[Server | None]:
    """Yield a server, stopped at the end; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="sf_chaos_postgres_"))
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    one = Server(found[-1].parent, folder, user)
    try:
        one.run("initdb", "-U", "sf", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        one.run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        yield one
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            one.run("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(folder)
