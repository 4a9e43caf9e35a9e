"""The register answers five questions about every column that is stored."""

from dataclasses import asdict

import pytest

from sf_assets.catalogue import register
from sf_assets.catalogue.tables import TABLES
from sf_assets.sources.registry import SOURCES
from sf_assets.vocabulary.schema import Column, Table


def test_every_stored_column_has_a_purpose_a_source_a_basis_readers_and_a_time() -> None:
    found = [asdict(entry) for entry in register.entries()]
    assert [entry for entry in found if not all(entry.values())] == []
    there = {(entry["table"], entry["column"]) for entry in found}
    assert there >= {(table.name, column.name) for table in TABLES.values() for column in table.columns}
    assert len(there) == len(found)


def test_the_answers_follow_the_declarations() -> None:
    found = {(entry.table, entry.column): entry for entry in register.entries()}
    debt = found["feat_matrix", "dette_par_effectif"]
    assert "debit" in debt.source
    assert debt.seen_by == "the team; as a reason, recipients with urssaf"
    assert found["list_alerts", "probabilite"].seen_by == "the team; recipients of the list with score"
    assert found["list_alerts", "siren"].seen_by == "the team; recipients of the list"
    assert found["stg_quarantine", "raw"].kept.startswith("12 months")
    assert found["stg_debit", "part_ouvriere"].purpose.endswith("read by clean_debit, feat_dette")
    tax = {source.name for source in SOURCES if source.legal_basis.startswith("tax secrecy")}
    secret = {entry.table for entry in found.values() if entry.basis.startswith("tax secrecy")}
    assert {f"stg_{name}" for name in tax} <= secret


def test_a_table_without_a_declared_purpose_or_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Table("tomorrow", "one thing", (Column("a", "VARCHAR", "a thing"),))
    monkeypatch.setattr(register, "stored_tables", lambda: [new])
    with pytest.raises(KeyError, match="tomorrow"):
        list(register.entries())
