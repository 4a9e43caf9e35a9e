"""DuckDB extensions, installed from wheels: nothing is downloaded at run time."""

from importlib.resources import files

import duckdb


def extension_file(extension: str) -> str:
    """Return the path of a DuckDB extension inside its wheel."""
    folder = files(f"duckdb_extension_{extension}") / "extensions" / f"v{duckdb.__version__}"
    return str(folder / f"{extension}.duckdb_extension")
