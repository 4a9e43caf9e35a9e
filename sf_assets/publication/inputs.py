"""Digests of what a published list was made from: rows of the warehouse and files of a model."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sf_assets.engine.storage import Session
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.content import scope_condition
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.engine.storage.shape import column_types, lake_name
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.lists.month_list import MonthList
from sf_assets.model.store import CARD, MODEL, ModelCard, ModelStore


def input_digests(session: Session, reads: Iterable[AssetMonth]) -> tuple[dict[str, Any], ...]:
    """Return, for each table and month, its number of rows, a digest of them in any order, and the snapshot of the last write.

    The digest is the sum of half the MD5 of each row as JSON: unlike DuckDB's own hashes, it is the same in every version.
    """
    return tuple(_digest(session, table, month) for table, month in sorted(set(reads)))


def _digest(session: Session, table: str, month: date) -> dict[str, Any]:
    name = lake_name(table)
    found: tuple[Any, ...] = (0, "0", None)
    if column_types(session.connection, name):
        found = session.connection.execute(
            f"select count(*), coalesce(sum(md5_number_lower(to_json(r)::varchar)), 0)::varchar, max(snapshot_id) "
            f"from (select t as r, t.snapshot_id from {name} as t where {scope_condition({'month': [month]})})"
        ).fetchall()[0]
    return {"table": table, "month": f"{month:%Y-%m}", "rows": found[0], "digest": found[1], "written_by": found[2]}


def model_facts(made: MonthList, models: Shelf) -> dict[str, Any]:
    """Return the method, version, card and checksums of the stored model of a list."""
    folder = ModelStore(models).folder(made.month, made.selected.method.name, made.selected.model_version)
    card = ModelCard.from_json((folder / CARD).read_text(encoding="utf-8"))
    return {
        "method": card.method,
        "version": folder.name,
        "card": card.to_json(),
        "files": model_checksums(models, made.month, card.method, folder.name),
    }


def model_checksums(models: Shelf, month: date, method: str, version: str) -> dict[str, str | None]:
    """Return the SHA-256 of the files of a stored model by name, None for a file that is missing."""
    folder = ModelStore(models).folder(month, method, version)
    return {name: sha256_of(folder / name) if (folder / name).is_file() else None for name in (MODEL, CARD)}
