"""What each column is used for; the columns that a deployment drops are in no file."""

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.catalogue.usage import reached, require_droppable, unused, uses
from sf_assets.engine.quality.verdicts import require_passed
from sf_assets.engine.storage import Warehouse, frame_of
from sf_assets.engine.storage.blanking import files_with_values
from sf_assets.operations.assets import dropped_columns_absent
from sf_assets.operations.retention import run_retention
from sf_assets.settings import Settings
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.dropped import forget_refused, without_columns
from sf_assets.staging.reading import READERS, read_source
from sf_assets.staging.tables import STAGING, query_of
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.parameters import Parameters
from sf_assets_tests.planted_month import judge

DROPPED = ("stg_ccsf.stade", "stg_ccsf.action")
BY_TABLE = {"stg_ccsf": ("stade", "action")}
AT = datetime(2026, 11, 20, tzinfo=UTC)
MONTH, NEXT = date(2026, 9, 1), date(2026, 10, 1)


def test_a_column_is_used_by_its_key_its_checks_and_what_reads_it() -> None:
    assert "key" in uses()["stg_debit", "siret"]
    assert "check not_negative" in uses()["stg_debit", "part_ouvriere"]
    assert "clean_debit" in uses()["stg_debit", "part_ouvriere"]
    assert "sharing" in uses()["stg_acces", "zones"], "whole rows are read"
    assert uses()["stg_retour", "remarque"] == ("read by the team",)


def test_a_column_reaches_the_features_and_lists_that_are_computed_from_it() -> None:
    found = reached(("stg_debit", "part_ouvriere"))
    assert "dette_sociale_ouvriere_lag3m" in found
    assert "list_alerts.niveau" in found
    assert reached(("stg_ccsf", "stade")) == []
    assert reached(("stg_retour", "utilite")) == ["list_alerts.deja_connue_depuis", "list_alerts.derniere_reponse"]


def test_what_serves_nothing_is_listed() -> None:
    assert {"stade", "action"} <= set(unused(BY_NAME["ccsf"]))
    assert unused(BY_NAME["cotisation"]) == []
    assert set(uses()) >= {(table.name, column.name) for table in TABLES.values() for column in table.columns}


def test_only_columns_that_serve_nothing_are_dropped() -> None:
    require_droppable(DROPPED)
    assert Settings.from_environment({"SF_DROPPED_COLUMNS": ",".join(DROPPED)}).dropped_columns == DROPPED
    for name, found in (("stg_debit.part_ouvriere", "is used: check not_negative"), ("clean_ap.siret", "is none")):
        with pytest.raises(UserError, match=f"SF_DROPPED_COLUMNS: .*{found}"):
            Settings.from_environment({"SF_DROPPED_COLUMNS": name})


def test_a_dropped_column_is_read_and_not_stored_nor_repeated_by_the_quarantine(tmp_path: Path) -> None:
    source, table = BY_NAME["ccsf"], STAGING["ccsf"]
    path = tmp_path / "sigfaible_ccsf.csv"
    headers = [cell.header for cell in source.cells]
    good = {"Siret": "51234567800012", "Date_de_traitement": "1250301"}
    rows = [";".join(good.get(name, "APPROB") for name in headers), ";".join("secret" for _ in headers)]
    path.write_text("\n".join([";".join(headers), *rows]))
    names = Parameters(dropped_columns=DROPPED).dropped_by_table()[table.name]
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select '512345678' as siren")
        connection.execute(READERS)
        read_source(connection, source, [path])
        forget_refused(connection, source, names)
        stored = connection.execute(without_columns(query_of(source), table, names)).pl()
        refused = connection.execute("from quarantine").pl()
    assert stored.columns == list(table.column_names)
    assert stored.select("stade", "action").row(0) == (None, None)
    assert stored["siret"].item() == "51234567800012"
    assert refused.height > 0
    assert refused["raw"].null_count() == refused.height
    assert without_columns("select 1", table, []) == "select 1"


def test_values_already_stored_are_removed_and_a_scan_of_the_files_proves_it(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    table = TABLES["stg_ccsf"]
    rows = frame_of(table, [{"siret": "51234567800012", "stade": "APPROB", "action": "SECRET"}])
    with warehouse.session() as session:
        for month in (MONTH, NEXT):
            session.replace({table: rows}, where={"month": month}, author="test", message="test")
        judge(session, "stg_ccsf", NEXT)
        assert len(files_with_values(session, {"stg_ccsf": ["stade", "action"]}, ())) == 2
    parameters = Parameters(dropped_columns=DROPPED)
    found = dropped_columns_absent(warehouse=warehouse, parameters=parameters)
    assert (found.passed, found.metadata["files"].value) == (False, 2)
    assert dropped_columns_absent(warehouse=warehouse, parameters=Parameters()).passed
    planned = run_retention(warehouse, tmp_path, at=AT, dropped=BY_TABLE)
    assert planned.dropped == {"stg_ccsf": 2}
    done = run_retention(warehouse, tmp_path, at=AT, dry_run=False, dropped=BY_TABLE)
    assert done.clean
    assert dropped_columns_absent(warehouse=warehouse, parameters=parameters).passed
    with warehouse.session() as session:
        assert files_with_values(session, {"stg_ccsf": ["stade", "action"]}, ()) == ()
        require_passed(session, [("stg_ccsf", NEXT)], SUITES)
    content = "".join(
        str(duckdb.sql(f"from '{path}'").fetchall()) for path in Path(warehouse.data_path).rglob("*.parquet")
    )
    assert "SECRET" not in content
    assert "51234567800012" in content
    assert run_retention(warehouse, tmp_path, at=AT, dropped=BY_TABLE).dropped == {}
