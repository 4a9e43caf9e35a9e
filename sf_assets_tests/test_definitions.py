"""Rules for every asset and query of the project: described, checked, run by a job, reading only earlier layers."""

import re
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
import sqlglot
from sqlglot import expressions as exp

from sf_assets.catalogue.queries import table_query
from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.definitions import definitions_of, defs
from sf_assets.engine.queries import Query
from sf_assets.operations.automation import RUN_KIND
from sf_assets.settings import Settings
from sf_assets.sources.registry import SOURCES
from sf_assets.staging.tables import STAGING, query_of
from sf_assets.vocabulary.modes import OPEN

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sf_assets"
LAYERS = ("sources", "staging", "clean", "features", "model", "lists", "evaluation")
# Groups computed on demand only, each by its own job.
ON_DEMAND = {"features_wide": "wide", "publication": "publish"}
# Checks that no table declares: they need more than the warehouse.
BESIDE = {"list_publication": {"rebuilt_same"}}
# Queries that no table is named after: what a step or a check executes besides.
PASSING = sorted(path for path in PACKAGE.rglob("*.sql") if path.stem not in TABLES)
QUERIES = sorted(path for path in PACKAGE.rglob("*.sql") if path.stem in TABLES)


# Features run over ranges of months, other layers month by month.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


def _named(paths: list[Path]) -> object:
    return pytest.mark.parametrize("path", paths, ids=[path.relative_to(PACKAGE).as_posix() for path in paths])


class BothModes:
    """The asset graphs of both modes: an asset is read in the full one, and in that of open data when it is there only."""

    modes = (defs, definitions_of(Settings(mode=OPEN)))

    def __init__(self) -> None:
        self._graphs = [one.resolve_asset_graph() for one in self.modes]

    def _of(self, key):
        return next(graph for graph in self._graphs if key in graph.get_all_asset_keys())

    def get_all_asset_keys(self):
        return self._graphs[0].get_all_asset_keys() | self._graphs[1].get_all_asset_keys()

    def get(self, key):
        return self._of(key).get(key)

    def get_check_keys_for_assets(self, keys):
        return self._of(next(iter(keys))).get_check_keys_for_assets(keys)


GRAPH = BothModes()
COCKPIT = [key for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).group_name == "cockpit"]
ASSETS = sorted(GRAPH.get_all_asset_keys() - set(COCKPIT))


@pytest.mark.parametrize("key", ASSETS, ids=lambda key: key.to_user_string())
def test_every_asset_has_a_description_an_owner_and_its_checks(key: dg.AssetKey) -> None:
    node, name = GRAPH.get(key), key.to_user_string()
    assert node.group_name in {*LAYERS, *ON_DEMAND}
    assert node.tags["layer"] == node.group_name
    assert node.owners
    assert node.kinds
    assert node.code_version
    assert node.tags["legal_basis"]
    assert node.tags["confidentiality"] in {"identifiers", "aggregates"}
    assert len(node.description.split()) >= 5
    assert node.partitions_def is not None
    (code,) = node.metadata["dagster/code_references"].code_references
    assert Path(code.file_path).is_relative_to(PACKAGE)
    stored = "src_arrivals" if node.group_name == "sources" else name
    assert node.metadata["dagster/table_name"] == f"lake.{stored}"
    columns = node.metadata["dagster/column_schema"].columns
    assert columns
    assert all(column.name and column.type for column in columns)
    checks = GRAPH.get_check_keys_for_assets({key})
    assert {check.name for check in checks} == {check.name for check in SUITES[name].checks} | BESIDE.get(name, set())
    assert checks


def test_the_cockpit_has_no_dependencies_in_either_direction() -> None:
    assert [key.to_user_string() for key in COCKPIT] == ["status"]
    for key in COCKPIT:
        node = GRAPH.get(key)
        assert node.parent_keys | node.child_keys == set()
        assert node.owners
        assert node.kinds
        assert node.description.startswith("One row is ")
        assert node.metadata["dagster/column_schema"].columns
        assert GRAPH.get_check_keys_for_assets({key})


def test_every_table_and_source_is_an_asset_and_every_suite_has_one() -> None:
    names = {key.to_user_string() for key in ASSETS}
    assert names == {*TABLES, *(f"src_{source.name}" for source in SOURCES), "stg_import", "stg_quarantine"}
    assert names == set(SUITES)


def test_every_column_of_a_table_asset_has_a_meaning() -> None:
    described = {
        f"{name}.{column.name}": column.description
        for name in TABLES
        for column in GRAPH.get(dg.AssetKey(name)).metadata["dagster/column_schema"].columns
    }
    assert len(described) > 300
    assert [name for name, description in described.items() if not description] == []


def test_the_groups_are_the_layers() -> None:
    assert {GRAPH.get(key).group_name for key in ASSETS} == {*LAYERS, *ON_DEMAND}


def test_no_asset_depends_on_a_later_layer() -> None:
    edges = [(key, parent) for key in ASSETS for parent in GRAPH.get(key).parent_keys]
    # Assets computed on demand come last: no other asset may depend on them.
    order = {key: (*LAYERS, *ON_DEMAND).index(GRAPH.get(key).group_name) for key in ASSETS}
    assert len(edges) > len(ASSETS)
    assert [(key, parent) for key, parent in edges if order[parent] > order[key]] == []


def test_the_blacklist_is_computed_before_every_table_that_excludes_its_companies() -> None:  # trap 60, deviation B13
    filtered = {"clean_ap", "clean_cotisation", "clean_debit", "clean_delai", "clean_procol", "clean_effectif",
            "clean_effectif_ent", "clean_filter", "clean_sirene_histo"}  # fmt: skip
    for name in filtered:
        assert dg.AssetKey("siren_blacklist") in GRAPH.get(dg.AssetKey(name)).parent_keys, name
    parents = {key.to_user_string() for key in GRAPH.get(dg.AssetKey("siren_blacklist")).parent_keys}
    assert parents == {"stg_filter_import", "stg_sirene", "clean_sirene_ul"}


def test_each_layer_reads_the_one_above_it() -> None:
    met = {
        (GRAPH.get(parent).group_name, GRAPH.get(key).group_name)
        for key in ASSETS
        for parent in GRAPH.get(key).parent_keys
    }
    assert set(pairwise(LAYERS)) <= met


def test_every_asset_is_run_by_a_job() -> None:
    everything = set(ASSETS)
    asked = {key for key in everything if GRAPH.get(key).group_name in ON_DEMAND}
    assert {key for job in ("batch", "score", "evaluate") for key in _selected(job)} == everything - asked
    assert _selected("monthly") == _selected("batch") | _selected("score")
    assert {key for job in ON_DEMAND.values() for key in _selected(job)} == asked


def test_every_job_has_the_tag_by_which_runs_are_filtered() -> None:
    kinds = {job.name: job.tags[RUN_KIND] for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
    upkeep = {"refresh_status", "accept_check", "maintenance", "retention", "prove_published"}
    assert kinds == {name: "upkeep" if name in upkeep else "month" for name in kinds}
    assert len(kinds) > len(upkeep)


def test_an_operator_may_run_each_check_alone() -> None:
    checks = [check for one in defs.asset_checks or () for check in [one] if len(list(check.check_keys)) > 1]
    assert checks
    assert all(check.can_subset for check in checks)


def test_the_monthly_job_computes_drift_answers_and_verification_and_the_yearly_job_the_rest_of_the_evaluation() -> (
    None
):
    evaluation = {key for key in ASSETS if GRAPH.get(key).group_name == "evaluation"}
    assert _selected("evaluate") == evaluation
    assert {key.to_user_string() for key in _selected("monthly") & evaluation} == {
        "eval_answers", "eval_drift", "eval_verification",
    }  # fmt: skip


def _selected(job: str) -> set[dg.AssetKey]:
    return {
        key
        for mode in GRAPH.modes
        if job in {one.name for one in mode.resolve_all_job_defs()}
        for key in mode.resolve_job_def(job).asset_layer.executable_asset_keys
    }


def _query_of(path: Path) -> Query:
    return table_query(path.parent.name, path.stem)


@_named(QUERIES)
def test_a_query_file_is_one_select_under_a_header_named_after_its_table(path: Path) -> None:
    table = TABLES[path.stem]
    query = _query_of(path)
    assert query.text.startswith("-- One row is ")
    assert len(query.header) > len("-- One row is ")
    (statement,) = sqlglot.parse(re.sub(r"\$[a-z_]+", "null", query.text), dialect="duckdb")
    assert isinstance(statement, exp.Query)
    metadata = GRAPH.get(dg.AssetKey(table.name)).metadata
    group = GRAPH.get(dg.AssetKey(table.name)).group_name
    assert group == path.parent.name or (group in ON_DEMAND and group.startswith(path.parent.name))
    assert query.text in metadata["sql"].value


@_named([path for path in QUERIES if path.parent.name in {"staging", "clean"}])
def test_a_batch_query_leaves_the_month_to_the_runner(path: Path) -> None:
    tree = sqlglot.parse_one(re.sub(r"\$[a-z_]+", "null", _query_of(path).text), dialect="duckdb")
    assert [column.sql() for column in tree.find_all(exp.Column) if column.name == "month"] == []
    assert "month" not in tree.named_selects


@_named(QUERIES)
def test_a_query_reads_tables_by_plain_names_only(path: Path) -> None:
    tree = sqlglot.parse_one(re.sub(r"\$[a-z_]+", "null", _query_of(path).text), dialect="duckdb")
    assert [table.sql() for table in tree.find_all(exp.Table) if table.db or table.catalog] == []
    assert "read_csv" not in path.read_text() and "read_parquet" not in path.read_text()  # noqa: PT018


def test_every_asset_computed_by_a_query_has_its_file() -> None:
    made = {key.to_user_string() for key in ASSETS if "sql" in GRAPH.get(key).kinds}
    layers = {"clean", "features"}
    assert made >= {key.to_user_string() for key in ASSETS if GRAPH.get(key).group_name in layers}
    assert made <= {path.stem for path in QUERIES}


def test_the_metadata_of_an_asset_has_the_query_that_computes_it() -> None:
    shown = {key.to_user_string(): GRAPH.get(key).metadata for key in ASSETS}
    made = {name for name, metadata in shown.items() if "sql" in metadata}
    assert made == {path.stem for path in QUERIES} | {STAGING[source.name].name for source in SOURCES}
    for source in SOURCES:
        assert query_of(source) in shown[STAGING[source.name].name]["sql"].value
    # An asset computed by code has its module and the query it starts from.
    for name in set(TABLES) - made:
        assert shown[name]["made_in"].startswith("sf_assets.")
    assert "feat_matrix" in shown["model_scores"]["starts_from"].value
    assert "model_scores" not in shown["model_scores"]["starts_from"].value


@_named(PASSING)
def test_sql_that_no_table_is_named_after_has_a_header(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("-- ")
