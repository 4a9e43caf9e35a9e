"""What holds for every asset, module, query and file of the project: data moves down, edges stay thin, nothing is forgotten."""

import ast
import re
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
import sqlglot
from sqlglot import expressions as exp

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.definitions import defs
from sf_assets.engine.queries import read_query
from sf_assets.sources.registry import SOURCES
from sf_assets.staging.tables import STAGING, query_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sf_assets"
LAYERS = ("sources", "staging", "clean", "features", "model", "lists", "evaluation")
# What is made on demand only, by a job of its own.
ON_DEMAND = {"features_wide": "wide"}
# What meets Dagster besides the assets of the layers.
EDGES = {
    "automation", "bench", "bench.__main__", "bench.limits", "cockpit.assets", "cockpit.jobs", "cockpit.sensors",
    "definitions", "failures", "faults.trial", "home", "materialization", "partitions", "progress",
    "quality.checks",
    "resources", "steps", "storage.warehouse",
}  # fmt: skip
# Modules that know several layers, and which: where layers are put together, started, shown or configured.
WIRING = {
    "automation": {"lists", "sources"},
    "bench": {"sources"},
    "bench.limits": {"lists", "model", "sources"},
    "catalogue": set(LAYERS),
    "cockpit.views": {"sources"},
    "confidentiality": {"sources"},
    "definitions": set(LAYERS),
    "demo": {"sources"},
    "derivation": {"features", "lists", "sources", "staging"},
    "documentation": {"features", "sources", "staging"},
    "evaluate": {"evaluation", "sources"},
    "explain": {"features", "lists", "model", "sources"},
    "faults.__main__": {"sources"},
    "faults.injection": {"sources"},
    "faults.trial": {"sources", "staging"},
    "materialization": {"sources", "staging"},
    "method": {"model"},
    "quarantine": {"sources"},
    "resources": {"features"},
    "search": {"model"},
    "settings": {"features", "lists", "model"},
    "status": {"sources"},
    "steps": {"features"},
    "summary": {"lists", "sources"},
}
# Files of several statements that no table is named after: the functions and codes that readings share.
SHARED_SQL = {"readers", "known_codes", "in_two_files"}
# Queries whose rows a step uses and does not keep.
PASSING = {"headcount_rules", "former_alerts", "former_list", "list_signals", "delivered_before"}
QUERIES = sorted(path for path in PACKAGE.rglob("*.sql") if path.stem not in SHARED_SQL | PASSING)
MODULES = sorted(PACKAGE.rglob("*.py"))


# Features run over ranges of months, other layers month by month.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


def _named(paths: list[Path]) -> object:
    return pytest.mark.parametrize("path", paths, ids=[path.relative_to(PACKAGE).as_posix() for path in paths])


GRAPH = defs.resolve_asset_graph()
COCKPIT = [key for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).group_name == "cockpit"]
ASSETS = sorted(GRAPH.get_all_asset_keys() - set(COCKPIT))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    """Yield the dotted names a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _ours(path: Path) -> set[str]:
    """Return the first names below the package that a module imports from: layers, packages, modules."""
    return {name.split(".")[1] for name in _imports(path) if name.startswith("sf_assets.")}


@pytest.mark.parametrize("key", ASSETS, ids=lambda key: key.to_user_string())
def test_every_asset_says_what_it_is_whose_it_is_and_how_it_is_checked(key: dg.AssetKey) -> None:
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
    stored = "src_arrivals" if node.group_name == "sources" else name
    assert node.metadata["dagster/table_name"] == f"lake.{stored}"
    columns = node.metadata["dagster/column_schema"].columns
    assert columns
    assert all(column.name and column.type for column in columns)
    checks = GRAPH.get_check_keys_for_assets({key})
    assert {check.name for check in checks} == {check.name for check in SUITES[name].checks}
    assert checks


def test_the_cockpit_depends_on_nothing_and_nothing_on_it() -> None:
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


def test_every_column_of_a_table_asset_says_what_it_means() -> None:
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
    # What is made on demand comes last: nothing else may wait for it.
    order = {key: (*LAYERS, *ON_DEMAND).index(GRAPH.get(key).group_name) for key in ASSETS}
    assert len(edges) > len(ASSETS)
    assert [(key, parent) for key, parent in edges if order[parent] > order[key]] == []


def test_what_leaves_companies_out_is_computed_before_every_table_that_leaves_them_out() -> (
    None
):  # trap 60, decision B13
    kept = {"clean_ap", "clean_cotisation", "clean_debit", "clean_delai", "clean_procol", "clean_effectif",
            "clean_effectif_ent", "clean_filter", "clean_sirene_histo"}  # fmt: skip
    for name in kept:
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


def test_nothing_that_starts_the_project_is_left_out_of_it() -> None:
    everything = set(ASSETS)
    asked = {key for key in everything if GRAPH.get(key).group_name in ON_DEMAND}
    assert {key for job in ("batch", "score", "evaluate") for key in _selected(job)} == everything - asked
    assert _selected("monthly") == _selected("batch") | _selected("score")
    assert {key for job in ON_DEMAND.values() for key in _selected(job)} == asked


def test_a_month_looks_at_drift_and_at_past_lists_and_leaves_the_rest_to_the_yearly_job() -> None:
    evaluation = {key for key in ASSETS if GRAPH.get(key).group_name == "evaluation"}
    assert _selected("evaluate") == evaluation
    assert {key.to_user_string() for key in _selected("monthly") & evaluation} == {"eval_drift", "eval_verification"}


def _selected(job: str) -> set[dg.AssetKey]:
    return set(defs.resolve_job_def(job).asset_layer.executable_asset_keys)


@_named(MODULES)
def test_a_layer_imports_only_earlier_layers_and_what_is_shared(path: Path) -> None:
    layer, name = path.relative_to(PACKAGE).parts[0], path.stem
    found = _ours(path)
    if layer not in LAYERS:
        assert found & set(LAYERS) == WIRING.get(_module(path), set())
        return
    assert found & set(LAYERS[LAYERS.index(layer) + 1 :]) == set()
    assert "synthetic" not in found
    if name != "assets":
        assert found & set(WIRING) == set()


def test_the_list_of_wiring_modules_names_only_existing_ones() -> None:
    assert set(WIRING) <= {_module(path) for path in MODULES}


def test_only_the_demonstration_the_bench_and_the_faults_make_synthetic_data() -> None:
    users = {_module(path) for path in MODULES if "synthetic" in _ours(path) and path.parent.name != "synthetic"}
    assert users == {"bench", "demo", "faults.__main__"}


def test_dagster_stays_at_the_edges() -> None:
    users = {_module(path) for path in MODULES if any(name.split(".")[0] == "dagster" for name in _imports(path))}
    assert users <= EDGES | {f"{layer}.assets" for layer in LAYERS}
    assert users >= EDGES


def test_only_the_settings_read_the_environment_and_only_the_bench_makes_one() -> None:
    touched = re.compile(r"\b(environ|getenv|EnvVar)\b")
    readers = {_module(path) for path in MODULES if touched.search(path.read_text(encoding="utf-8"))}
    assert "settings" in readers
    # The home of Dagster is Dagster's own setting.
    assert readers <= {"settings", "bench", "home"}


CLOCKS = re.compile(
    r"\b(now|today|utcnow|localtime|gmtime|time\.time|time_ns|get_current_\w+|get_last_partition_key|get_partition_keys)\(|"
    r"\b(current_date|current_time|current_timestamp|localtimestamp)\b"
)


def test_no_result_depends_on_the_day_it_is_computed() -> None:  # trap 59, decision B9
    found = {
        _module(path) if path.suffix == ".py" else path.name
        for path in [*MODULES, *PACKAGE.rglob("*.sql")]
        if CLOCKS.search(path.read_text(encoding="utf-8"))
    }
    # The sensor asks which months have ended, the commands whether theirs has; an acceptance or a choice is dated when given.
    assert found == {"acceptance", "automation", "method", "progress"}


@_named(MODULES)
def test_a_module_has_less_than_three_hundred_lines_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 300
    assert ast.get_docstring(ast.parse(text))


def test_nothing_but_the_synthetic_world_and_its_users_knows_the_oracle() -> None:
    knowing = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*")
        if path.suffix in {".py", ".sql"} and "oracle" in path.read_text(encoding="utf-8").lower()
    }
    assert "synthetic" in knowing
    assert knowing <= {"synthetic", "demo.py", "bench", "evaluate.py", "evaluation"}
    assert "oracle" not in (PACKAGE / "evaluation" / "assets.py").read_text(encoding="utf-8").lower()


@_named(QUERIES)
def test_a_query_file_is_one_select_under_a_header_named_after_its_table(path: Path) -> None:
    table = TABLES[path.stem]
    query = read_query(path.parent, path.stem)
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
    tree = sqlglot.parse_one(re.sub(r"\$[a-z_]+", "null", path.read_text(encoding="utf-8")), dialect="duckdb")
    assert [column.sql() for column in tree.find_all(exp.Column) if column.name == "month"] == []
    assert "month" not in tree.named_selects


@_named(QUERIES)
def test_a_query_names_tables_without_catalog_or_files(path: Path) -> None:
    tree = sqlglot.parse_one(re.sub(r"\$[a-z_]+", "null", path.read_text(encoding="utf-8")), dialect="duckdb")
    assert [table.sql() for table in tree.find_all(exp.Table) if table.db or table.catalog] == []
    assert "read_csv" not in path.read_text() and "read_parquet" not in path.read_text()  # noqa: PT018


def test_every_asset_made_by_a_query_has_its_file() -> None:
    made = {key.to_user_string() for key in ASSETS if "sql" in GRAPH.get(key).kinds}
    layers = {"clean", "features"}
    assert made >= {key.to_user_string() for key in ASSETS if GRAPH.get(key).group_name in layers}
    assert made <= {path.stem for path in QUERIES}


def test_the_page_of_an_asset_shows_as_its_query_the_one_that_makes_it() -> None:
    shown = {key.to_user_string(): GRAPH.get(key).metadata for key in ASSETS}
    made = {name for name, metadata in shown.items() if "sql" in metadata}
    assert made == {path.stem for path in QUERIES} | {STAGING[source.name].name for source in SOURCES}
    for source in SOURCES:
        assert query_of(source) in shown[STAGING[source.name].name]["sql"].value
    # What code makes says where, and what it starts from.
    for name in set(TABLES) - made:
        assert shown[name]["made_in"].startswith("sf_assets.")
    assert "feat_matrix" in shown["model_scores"]["starts_from"].value
    assert "model_scores" not in shown["model_scores"]["starts_from"].value


def test_shared_sql_says_what_it_is() -> None:
    for name in SHARED_SQL | PASSING:
        (path,) = PACKAGE.rglob(f"{name}.sql")
        assert path.read_text(encoding="utf-8").startswith("-- One row is " if name in PASSING else "-- ")


def test_the_wheel_holds_every_file_of_the_package_and_no_test(tmp_path: Path) -> None:
    wheels = pytest.importorskip("hatchling.builders.wheel")
    (built,) = wheels.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    assert held == {name for name in files if "__pycache__" not in name} | {"sf_assets_home.pth"}
    assert {Path(name).suffix for name in held} >= {".py", ".sql", ".csv"}


_HORIZON = re.compile(r"eighteen|dix-huit|\b18[  ](?:mois|months?)\b|\binterval 18\b", re.IGNORECASE)


def _said(path: Path) -> Iterator[str]:
    """Yield what a file says to the engine or to a reader: comments and docstrings left out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield from (line.split("--")[0] for line in text.splitlines())
        return
    tree = ast.parse(text)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@_named([*MODULES, *sorted(PACKAGE.rglob("*.sql"))])
def test_the_horizon_is_said_in_one_place(path: Path) -> None:
    assert not [text for text in _said(path) if _HORIZON.search(text)], "use partitions.HORIZON_MONTHS"
