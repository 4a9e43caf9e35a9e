"""Verdicts carried over a rewriting of files: rows are the same, only the number of the snapshot that holds them changed."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from sf_assets.engine.quality.freshness import last_writes
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.engine.storage.shape import column_types, lake_name

# The ledgers that name the snapshot of a write, and their columns of asset and month.
_LEDGERS = {
    "check_verdicts": ("asset", "month"),
    "check_acceptances": ("asset", "month"),
    "asset_inputs": ("input", "input_month"),
}
_CHECKED = "select distinct asset, month from lake.check_verdicts"


def checked_writes(session: Session, suites: Mapping[str, Suite]) -> dict[AssetMonth, int]:
    """Return the snapshot of the last write of every asset and month that has verdicts."""
    if not column_types(session.connection, lake_name("check_verdicts")):
        return {}
    rows: list[tuple[str, date]] = session.connection.execute(_CHECKED).fetchall()
    stored = {suite.asset for suite in suites.values() if suite.table and session.months(suite.table.name)}
    return last_writes(session, suites, [(asset, month) for asset, month in rows if asset in stored])


def carry_verdicts(session: Session, suites: Mapping[str, Suite], before: Mapping[AssetMonth, int]) -> int:
    """Write the new snapshots of rewritten rows into the ledgers, in place of those of `before`; return how many moved.

    Call it after files were rewritten with the same rows, and before anything else is written.
    """
    after = last_writes(session, suites, list(before))
    moved = [
        {"asset": asset, "month": month, "former": before[asset, month], "snapshot": snapshot}
        for (asset, month), snapshot in after.items()
        if snapshot != before[asset, month]
    ]
    if not moved:
        return 0
    session.connection.register("moved", pl.DataFrame(moved).to_arrow())
    with session.catalog.one_writer(session.connection, "verdicts carried over"):
        for ledger, (asset, month) in _LEDGERS.items():
            if column_types(session.connection, lake_name(ledger)):
                session.connection.execute(
                    f"update {lake_name(ledger)} as ledger set snapshot = moved.snapshot from moved "
                    f"where ledger.{asset} = moved.asset and ledger.{month} = moved.month and ledger.snapshot = moved.former"
                )
    return len(moved)
