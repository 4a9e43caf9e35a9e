"""The Parquet files of the warehouse that are stored, whether a snapshot needs them or not: what a scan of their bytes reads."""

from pathlib import Path

from sf_assets.engine.storage.objects import is_remote
from sf_assets.engine.storage.session import Session


def stored_files(session: Session, table: str = "") -> list[str]:
    """Return the paths or addresses of the Parquet files of a table, or of all tables, sorted."""
    root, below = session.catalog.data_path.rstrip("/"), f"{table}/**/" if table else ""
    if not is_remote(root):
        return sorted(str(path) for path in Path(root).rglob(f"{below}*.parquet"))
    found = session.connection.execute("select file from glob($1) order by file", [f"{root}/**/*.parquet"]).fetchall()
    return [file for (file,) in found if not table or f"/{table}/" in file.removeprefix(root)]


def name_of(file: str) -> str:
    """Return the last part of the path or address of a file."""
    return file.rpartition("/")[2]
