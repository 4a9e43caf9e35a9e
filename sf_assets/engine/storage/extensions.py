"""DuckDB extensions, installed from wheels: nothing is downloaded at run time.

To verify the signature of an extension, DuckDB hashes its 35 MB, a tenth of a second at every load. Here a process verifies
each file once, so connections that load `extension_file` are opened with `allow_unsigned_extensions`.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb


def extension_file(extension: str) -> str:
    """Return the path of a DuckDB extension inside its wheel, its signature verified.

    Raises:
        duckdb.IOException: the file is not the one that DuckDB signed.

    """
    folder = files(f"duckdb_extension_{extension}") / "extensions" / f"v{duckdb.__version__}"
    path = Path(str(folder / f"{extension}.duckdb_extension"))
    found = path.stat()
    return _verified(path, found.st_mtime_ns, found.st_size)


@cache
def _verified(path: Path, _changed: int, _size: int) -> str:
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        connection.load_extension(str(path))
    return str(path)
