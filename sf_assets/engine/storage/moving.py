"""The copy of a warehouse to another place: the files that its catalog names first, the catalog last, in one transaction.

Every snapshot comes along with its number: published lists, verdicts and inputs name snapshots.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.objects import ObjectStore, bucket_and_prefix, is_remote
from sf_assets.engine.storage.retention import stored_tables
from sf_assets.engine.storage.room import room_in
from sf_assets.engine.storage.session import Session
from sf_assets.engine.storage.shape import lake_name, sql_identifier
from sf_assets.engine.storage.warehouse import Warehouse
from sf_assets.vocabulary.failures import PermanentFailure, UserError

_FILES = read_sql("sf_assets.engine.storage", "files_of_catalog")
_CATALOG = read_sql("sf_assets.engine.storage", "columns_of_catalog")
# Files that wait for their removal are not copied.
_NOT_COPIED = {"ducklake_files_scheduled_for_deletion"}
_CHUNK = 1 << 20


def copy_warehouse(source: Warehouse, target: Warehouse) -> dict[str, int]:
    """Copy a warehouse whose files are in a folder to another one, which must be empty; return the rows of each table.

    Writers of the source wait meanwhile, and the source stays as it is. Every file is read back and compared, then every row.
    When the copy is interrupted, the target is still an empty warehouse: the next copy goes on with the files that are missing.

    Raises:
        UserError: the files of the source are not in a folder, or the target has tables.
        PermanentFailure: a file or the rows of a table are not those of the source.

    """
    if is_remote(source.data_path):
        raise UserError(f"tables: expected those to move in a folder, found {source.data_path}")
    with source.session() as session, session.catalog.one_writer(session.connection, "move to another place"):
        require_empty(target)
        with target.session() as there:
            files = _files(session)
            if target.objects and is_remote(target.data_path):
                _upload(files, Path(source.data_path), target.objects, target.data_path)
            else:
                _copy(files, Path(source.data_path), Path(target.data_path))
            with there.catalog.one_writer(there.connection, "move from another place"):
                _copy_catalog(session, there)
            expected = _content(session)
    # The session above read the catalog of the target while it was empty.
    with target.session() as there:
        there.catalog.attach(there.connection)
        found = _content(there)
    if wrong := sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name)):
        raise PermanentFailure(f"tables: expected the rows of {source.data_path}, found others: {', '.join(wrong)}")
    return {name: rows for name, (rows, _) in found.items()}


def require_empty(target: Warehouse) -> None:
    """Require a warehouse without tables, and create it if there is none.

    Raises:
        UserError: it has tables.

    """
    with target.session() as session:
        if tables := stored_tables(session):
            raise UserError(
                f"{target.data_path}: expected a catalog without tables, found {len(tables)} in it. Name an empty database."
            )


def _files(session: Session) -> dict[str, int]:
    """Return the size of each file that a snapshot needs, by its path below the tables."""
    found = session.connection.execute(_FILES).fetchall()
    if any(path is None for _, path in found):
        raise UserError("tables: expected every file below the folder of the tables, found one elsewhere")
    return {path: size for size, path in found}


def _copy(files: Mapping[str, int], root: Path, target: Path) -> None:
    for path, size in files.items():
        copy = target / path
        if not copy.is_file() or copy.stat().st_size != size:
            with room_in(target):
                shutil.copyfile(root / path, make_private_folder(copy.parent) / f".{copy.name}.part")
                copy.with_name(f".{copy.name}.part").replace(copy)
        _require_same(root / path, str(copy), sha256_of(copy))


def _upload(files: Mapping[str, int], root: Path, objects: ObjectStore, address: str) -> None:
    bucket, prefix = bucket_and_prefix(address)
    there = {key: facts["Size"] for key, facts in objects.listed(address)}
    for path, size in files.items():
        key = f"{prefix}{path}"
        if there.get(key) != size:
            objects.client().upload_file(str(root / path), bucket, key)
        digest = hashlib.sha256()
        for part in objects.client().get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(_CHUNK):
            digest.update(part)
        _require_same(root / path, f"{address}/{path}", digest.hexdigest())


def _require_same(file: Path, copy: str, found: str) -> None:
    if (expected := sha256_of(file)) != found:
        raise PermanentFailure(
            f"{copy}: expected the SHA-256 {expected} of {file}, found {found}. Remove it, then move again."
        )


def _copy_catalog(session: Session, there: Session) -> None:
    """Replace the catalog of a warehouse by that of another one, in one transaction; where its files are stays."""
    source, target = session.connection, there.connection
    with session.catalog.database(source) as origin, there.catalog.database(target) as database:
        expected, found = _columns(source, origin), _columns(target, database)
        if unknown := [name for name in sorted(expected) if expected[name].keys() - found.get(name, {}).keys()]:
            raise PermanentFailure(
                f"catalog: expected tables and columns that the target has, found others: {', '.join(unknown)}. Both are "
                "written by the same version of this package."
            )
        with there.transaction():
            where = f"{database}.ducklake_metadata"
            ((place,),) = target.execute(f"select value from {where} where key = 'data_path'").fetchall()
            for name in sorted(expected.keys() - _NOT_COPIED):
                _copy_table(source, f"{origin}.{name}", target, f"{database}.{name}", found[name])
            target.execute(f"update {where} set value = {sql_literal(place)} where key = 'data_path'")


def _copy_table(
    source: duckdb.DuckDBPyConnection,
    table: str,
    target: duckdb.DuckDBPyConnection,
    copy: str,
    types: Mapping[str, str],
) -> None:
    """Replace the rows of a table of a catalog; SQLite has texts and integers in the place of identifiers, times and truths."""
    rows = source.execute(f"from {table}").to_arrow_table()
    columns = ", ".join(map(sql_identifier, rows.column_names))
    typed = ", ".join(f"{sql_identifier(name)}::{types[name]}" for name in rows.column_names)
    target.execute(f"delete from {copy}")
    target.register("rows_of_catalog", rows)
    target.execute(f"insert into {copy} ({columns}) select {typed} from rows_of_catalog")
    target.unregister("rows_of_catalog")


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """Return the type of each column of a catalog, by table."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, type_ in connection.execute(_CATALOG, {"database": database}).fetchall():
        columns.setdefault(table, {})[column] = type_
    return columns


def _content(session: Session) -> dict[str, tuple[int, int]]:
    """Return the number of rows of each table, and the sum of their 64-bit hashes."""
    counted = {}
    for name in stored_tables(session):
        query = f"select count(*), coalesce(sum(hash(stored)::hugeint), 0) from {lake_name(name)} as stored"
        counted[name] = session.connection.execute(query).fetchall()[0]
    return counted
