"""DuckDB extensions, installed from wheels: nothing is downloaded at run time.

To verify the signature of an extension, DuckDB hashes its 35 MB, a tenth of a second at every load. Here a process verifies
each file once, so connections that load `extension_file` are opened with `allow_unsigned_extensions`.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.objects import ObjectStore
from sf_assets.vocabulary.failures import UserError

# A request is made nine times, with eight waits between that double from 0.25 s: a minute in all, during which the store may
# restart or refuse. An upload has three such minutes.
_REQUEST_SETTINGS = {"http_retries": 9, "http_retry_wait_ms": 250, "http_retry_backoff": 2}


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


def open_object_store(connection: duckdb.DuckDBPyConnection, store: ObjectStore) -> None:
    """Let a DuckDB database read and write the objects of a store, with keys that no query can read back.

    Raises:
        UserError: the extension is not installed.

    """
    try:
        connection.load_extension(extension_file("httpfs"))
    except ModuleNotFoundError:
        raise UserError(
            "expected the packages of the extra `s3` for tables in an object store, found none: pip install 'sf-assets[s3]'"
        ) from None
    facts = {"key_id": store.key_id, "secret": store.secret, "region": store.region}
    if store.token:
        facts["session_token"] = store.token
    if store.endpoint:
        facts |= {"endpoint": store.endpoint.partition("://")[2].rstrip("/"), "url_style": "path"}
    stated = "".join(f", {name} {sql_literal(value)}" for name, value in facts.items())
    connection.execute(f"create or replace temporary secret objects (type s3, use_ssl {store.encrypted}{stated})")
    # The extension copies the keys of the environment into settings, which a query could read.
    for setting in ("s3_access_key_id", "s3_secret_access_key", "s3_session_token"):
        connection.execute(f"set global {setting} = ''")
    for setting, value in _REQUEST_SETTINGS.items():
        connection.execute(f"set global {setting} = {value}")
