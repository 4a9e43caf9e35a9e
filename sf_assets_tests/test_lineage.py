"""Column lineage from scores back to delivered files: expected paths, and only columns that exist."""

import pytest

from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.lineage import column_origins, load_lineage, trace_to_files
from sf_assets.engine.materialization import write_metadata
from sf_assets.engine.storage import Write
from sf_assets.features.registry import NAMES
from sf_assets.sources.registry import SOURCES

# The columns that partition and order the windows over debts.
OF_DEBTS = {
    ("src_cotisation", "Siret"),
    ("src_delai", "Siret"),
    *(("src_debit", header) for header in ("Dt_trt_ecn", "Num_Ecn", "Periode", "Siret", "num_cpte")),
}


@pytest.mark.parametrize(
    ("field", "origins"),
    [
        (("stg_debit", "part_ouvriere"), {("src_debit", "Mt_PO")}),
        (("clean_debit", "periode"), {("src_debit", "Dt_trt_ecn")}),
        (("clean_cotisation", "du"), {("src_cotisation", "cotis_due")}),
        (("clean_effectif_ent", "effectif_ent"), {("src_effectif_ent", "effAAAAXY")}),
        (("feat_matrix", "dette_sociale_ouvriere_lag3m"), {("src_debit", "Mt_PO"), *OF_DEBTS}),
        (
            ("feat_matrix", "dette_sur_cotisation_mean12m"),
            {
                ("src_debit", "Mt_PO"),
                ("src_debit", "Mt_PP"),
                ("src_cotisation", "cotis_due"),
                ("src_cotisation", "periode"),
                *OF_DEBTS,
            },
        ),
        (("feat_matrix", "effectif"), {("src_effectif_ent", "effAAAAXY"), ("src_effectif_ent", "siren")}),
    ],
)
def test_a_field_is_traced_to_the_columns_of_delivered_files(field, origins):
    assert set(trace_to_files(field)) == origins


def test_a_score_comes_from_every_feature_and_every_feature_from_files():
    assert set(column_origins("model_scores")["probabilite"]) >= {("feat_matrix", name) for name in NAMES}
    assert [name for name in NAMES if not trace_to_files(("feat_matrix", name))] == []


def test_lineage_names_only_columns_that_exist():
    headers = {
        (f"src_{source.name}", header)
        for source in SOURCES
        for header in (*(cell.header for cell in source.cells), *(("effAAAAXY",) if source.wide else ()))
    }
    columns = {(table.name, column.name) for table in TABLES.values() for column in table.columns}
    columns |= {(name, "month") for name in TABLES}
    assert set(load_lineage()) <= columns
    origins = {origin for origins in load_lineage().values() for origin in origins}
    assert {(name, column) for name, column in origins if name.startswith("src_")} <= headers
    assert {(name, column) for name, column in origins if name in TABLES} <= columns


def test_every_column_of_the_features_has_an_origin():
    """Only a constant or a count has no origin: a feature without origin reads nothing, which is a mistake."""
    for name in ("feat_dette", "feat_effectif", "feat_matrix"):
        assert set(column_origins(name)) >= {column.name for column in TABLES[name].columns} - {"mois_en_dette_12m"}, (
            name
        )


def test_the_metadata_of_a_write_has_the_lineage_of_its_columns():
    metadata = write_metadata(Write("clean_debit", 1, 0, 2, 0.1))
    dependencies = metadata["dagster/column_lineage"].deps_by_column["part_ouvriere"]
    # A window over the events of a debt chooses the amount: its partition and its order count too.
    assert {(dependency.asset_key.to_user_string(), dependency.column_name) for dependency in dependencies} == {
        ("stg_debit", name) for name in ("debit_id", "part_ouvriere", "periode_prise_en_compte", "siret")
    }
    assert "dagster/column_lineage" not in write_metadata(Write("model_fitted", 1, 0, 2, 0.1))
