"""The modes of a deployment: what each reads, leaves out and refuses."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from sf_assets.catalogue.modes import outside_of
from sf_assets.catalogue.queries import table_query
from sf_assets.catalogue.tables import SUITES, suite_named, suites_of
from sf_assets.clean.tables import TABLES as CLEAN
from sf_assets.engine.materialization import within
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Warehouse
from sf_assets.features.configurations import IN_USE_OF
from sf_assets.features.registry import FEATURES_OF, NAMES
from sf_assets.features.tables import TABLES as FEATURES
from sf_assets.features.tables import matrix_of
from sf_assets.lists.columns import missing_from
from sf_assets.lists.page.content import rows_of
from sf_assets.lists.page.render import themes_of as themes_of_page
from sf_assets.lists.readme import About, readme_lines
from sf_assets.lists.staff import with_bands, with_sizes
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.threshold import LIMITS, OPEN_LIMITS, ThresholdMethod
from sf_assets.settings import Settings
from sf_assets.sources.assets import arrivals_of
from sf_assets.sources.batch import expected_in, missing_files, read_batch
from sf_assets.sources.registry import SOURCES, sources_in
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.labels import LABEL_TABLES
from sf_assets.vocabulary.modes import BOTH, FULL, OPEN, Mode
from sf_assets_dev.synthetic import write_batch

MONTH = date(2026, 10, 1)
PROTECTED = ("urssaf", "dgefp", "altares", "dgfip", "bdf", "banque de france", "ellisphere", "bureau van dijk")
# Tables that say which companies are followed, not what is known of them.
_PERIMETER = {"stg_filter_import", "siren_blacklist", "clean_filter"}
# Tables read by the models of one mode only, whose sources both modes have.
_OF_ONE_MODE = {"feat_registre", "feat_lags"}


def test_open_data_reads_open_sources_and_the_service_s_own_files_only() -> None:
    read = {source.name: source for source in sources_in(OPEN)}
    assert {source.legal_basis for source in read.values()} <= {
        "open data", "rules of access signed by the partners", "convention with the producer",
    }  # fmt: skip
    assert [name for name, source in read.items() if source.legal_basis.startswith("convention")] == ["filter"]
    assert {source.name for source in SOURCES if source.legal_basis == "open data"} <= set(read)


def test_the_full_mode_reads_what_it_read_before_there_were_modes() -> None:
    assert {source.name for source in SOURCES} - {source.name for source in sources_in(FULL)} == {"sirene_tranche"}
    assert matrix_of(FULL).column_names == ("siren", *NAMES)


@pytest.mark.parametrize("mode", BOTH)
def test_tables_outside_a_mode_are_those_made_from_its_unread_sources_alone(mode: Mode) -> None:
    outside = {source.table for source in SOURCES if mode not in source.modes}
    for layer, tables in (("clean", CLEAN), ("features", FEATURES)):
        for table in tables:
            query = table_query(layer, table.name)
            reads = {*query.reads} - LABEL_TABLES - _PERIMETER - {table.name}
            if reads and reads <= outside:
                outside.add(table.name)
    declared = {name for name in outside_of(mode) if not name.startswith("src_")}
    assert declared - _OF_ONE_MODE == outside - _OF_ONE_MODE
    assert declared <= SUITES.keys()


def test_a_month_on_open_data_expects_and_lists_open_files_only(tmp_path: Path) -> None:
    write_batch(tmp_path / "2610", month=MONTH, companies=5)
    batch = read_batch(tmp_path, MONTH, OPEN)
    assert set(batch.files) == {"sirene", "sirene_ul", "sirene_tranche", "sirene_histo", "bodacc", "ratios_inpi_bce"}
    assert "sigfaible_debits.csv" in batch.unsupported
    assert missing_files(batch) == ()
    assert set(expected_in(OPEN)) == {"sirene", "sirene_ul"}
    # The stock of legal units is read twice, for different columns.
    assert batch.files["sirene_tranche"] == batch.files["sirene_ul"]


def test_earlier_stocks_complete_the_bands_and_are_no_register_of_the_month(tmp_path: Path) -> None:
    folder = tmp_path / "2610"
    write_batch(folder, month=MONTH, companies=5, mode=OPEN)
    (folder / "StockUniteLegale_2019-01.parquet").write_bytes(b"")
    batch = read_batch(tmp_path, MONTH, OPEN)
    assert [path.name for path in batch.files["sirene_tranche"]] == [
        "sireneUL.csv", "StockUniteLegale_2019-01.parquet", "tranches_unites_legales.csv",
    ]  # fmt: skip
    assert [path.name for path in batch.files["sirene_ul"]] == ["sireneUL.csv"]
    assert "tranches_unites_legales.csv" in read_batch(tmp_path, MONTH).unsupported


def test_files_of_open_data_alone_are_written_on_request(tmp_path: Path) -> None:
    rows = write_batch(tmp_path / "2610", month=MONTH, companies=5, mode=OPEN)
    assert not [name for name in rows if name.startswith(("sigfaible", "altares", "declarations", "demande", "conso"))]
    assert rows["tranches_unites_legales.csv"] > 20


def test_assets_outside_are_neither_in_the_graph_nor_waited_for() -> None:
    @dg.asset
    def inside() -> None: ...

    @dg.asset
    def outside() -> None: ...

    @dg.asset(deps=["inside", "outside"])
    def last() -> None: ...

    graph = dg.Definitions(within([inside, outside, last], {"outside"})).resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {"inside", "last"}
    assert graph.get(dg.AssetKey("last")).parent_keys == {dg.AssetKey("inside")}


def test_tables_outside_read_as_empty_and_need_no_checks(tmp_path: Path) -> None:
    stored = Warehouse(catalog=str(tmp_path / "catalog.sqlite"), data_path=str(tmp_path / "tables"), threads=1)
    gate = Gate(SUITES)
    table = gate.table("clean_filter")
    with stored.session() as session:
        session.replace(
            {table: "select '400000001' as siren"}, where={"month": MONTH}, author="test", message="a company"
        )
    apart = Warehouse(stored.catalog, stored.data_path, outside=frozenset({table.name}))
    with apart.session() as session:
        Gate(SUITES, frozenset({table.name})).require(
            session, [(table.name, MONTH)], by_month={MONTH: [(table.name, MONTH)]}
        )
        assert session.inputs == {}
        session.bind({table: MONTH})
        assert session.connection.execute("select count(*) from clean_filter").fetchall() == [(0,)]
        assert session.months(table.name) == []


def test_a_warehouse_of_one_mode_is_refused_by_the_other(tmp_path: Path) -> None:
    from sf_assets.engine.resources import Folders  # noqa: PLC0415

    write_batch(tmp_path / "incoming" / "2610", month=MONTH, companies=2)
    warehouse = Warehouse(catalog=str(tmp_path / "catalog.sqlite"), data_path=str(tmp_path / "tables"), threads=1)

    def arrive(mode: Mode, source: str) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [arrivals_of(mode)],
            selection=[f"src_{source}"],
            partition_key=MONTH.isoformat(),
            resources={"warehouse": warehouse, "folders": Folders.below(tmp_path, mode)},
            raise_on_error=False,
        )

    assert arrive(FULL, "debit").success
    refused = arrive(OPEN, "sirene_ul")
    assert not refused.success
    (failure,) = refused.get_step_failure_events()
    assert "files of debit" in str(failure.step_failure_data.user_failure_data)
    assert arrive(FULL, "sirene_ul").success


def test_the_mode_is_a_setting_and_expert_rules_need_the_full_one() -> None:
    assert Settings().mode == FULL
    assert Settings.from_environment({"SF_MODE": "open"}).parameters.mode == OPEN
    with pytest.raises(UserError, match="SF_MODE"):
        Settings.from_environment({"SF_MODE": "closed"})
    with pytest.raises(UserError, match="SF_CORRECTIONS: expected none with SF_MODE=open"):
        Settings.from_environment({"SF_MODE": "open", "SF_CORRECTIONS": "dette_recente"})


def test_features_of_open_data_name_no_protected_theme_and_models_read_them() -> None:
    names = [feature.name for feature in FEATURES_OF[OPEN]]
    assert {feature.theme for feature in FEATURES_OF[OPEN]} == {"effectif", "sante_financiere", "profil"}
    assert matrix_of(OPEN).column_names == ("siren", *names)
    assert set(IN_USE_OF[OPEN]) <= set(names)
    texts = " ".join(feature.phrase + feature.label for feature in FEATURES_OF[OPEN]).lower()
    assert not [name for name in PROTECTED if name in texts]


def test_the_threshold_method_has_limits_for_both_modes() -> None:
    import numpy as np  # noqa: PLC0415

    def limits(mode: Mode) -> list[float]:
        features = IN_USE_OF[mode]
        return ThresholdMethod(features).fit(np.empty((0, len(features))), []).limits_.tolist()

    assert limits(OPEN) == [limit.limit for limit in OPEN_LIMITS]
    assert limits(FULL) == [limit.limit for limit in LIMITS]


def test_the_checks_of_the_matrix_follow_the_mode() -> None:
    assert suites_of(OPEN)["feat_matrix"].table == matrix_of(OPEN)
    assert suite_named("feat_registre", OPEN).asset == "feat_registre"
    for asset, mode in (("stg_debit", OPEN), ("clean_tranche", FULL)):
        with pytest.raises(UserError, match=f"found {asset}"):
            suite_named(asset, mode)


def test_a_list_on_open_data_shows_bands_and_says_what_it_cannot_see() -> None:
    companies = with_bands(
        pl.DataFrame({"siren": ["1", "2"], "tranche_effectif": [20.0, None], "naf_section": ["C", None]})
    )
    listed = with_sizes(pl.DataFrame({"siren": ["2", "1"], "effectif": [None, None], "niveau": [1, 2]}), companies)
    assert listed["tranche"].to_list() == [None, "20 à 49"]
    assert "effectif" not in listed.columns
    sections = pl.DataFrame({"naf_section": ["C"], "libelle_section": ["Industrie"]})
    assert rows_of(listed, companies, sections)["taille"].to_list() == [None, "20 à 49"]
    assert missing_from(listed.columns) == missing_from([*listed.columns, "effectif"])
    assert "effectif" in missing_from(["siren"])
    about = About(MONTH, date(2026, 10, 31), "Méthode", True, Thresholds(0.1, 0.2), 10, 120, mode=OPEN)  # noqa: FBT003
    text = " ".join(line for _, line in readme_lines(about))
    assert "données ouvertes seules" in text
    for unseen in ("ni les dettes", "ni les effectifs d'un mois à l'autre", "ni les retards de paiement"):
        assert unseen in text
    assert not [name for name in PROTECTED if name in text.lower()]
    assert "données ouvertes" not in " ".join(line for _, line in readme_lines(replace(about, mode=FULL)))


def test_the_page_of_open_data_shows_its_own_themes() -> None:
    sheets = pl.DataFrame({"siren": ["1"], "themes": [[0.0, 1.0, 0.0, 0.0, 2.0, 3.0]], "inconnus": [[1, 5]]})
    names, moved = themes_of_page(OPEN, sheets)
    assert names == ["Variation de l'effectif de l'entreprise", "Données financières", "Profil de l'entreprise"]
    assert moved.to_dict(as_series=False) == {"siren": ["1"], "themes": [[1.0, 2.0, 3.0]], "inconnus": [[0, 2]]}
    assert themes_of_page(FULL, sheets)[1].equals(sheets)
