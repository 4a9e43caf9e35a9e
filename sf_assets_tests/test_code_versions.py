"""The code version of an asset changes with every module, query, label table and rule that its rows depend on."""

from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.catalogue.queries import table_query
from sf_assets.clean.assets import ASSETS as CLEANED
from sf_assets.clean.query_asset import query_asset
from sf_assets.clean.tables import TABLES as CLEAN
from sf_assets.engine import code_versions
from sf_assets.engine.code_versions import ROOT, code_digest, source_files
from sf_assets.engine.materialization import with_settings
from sf_assets.engine.queries import Query
from sf_assets.evaluation.assets import ASSETS as EVALUATION
from sf_assets.features import assets as features
from sf_assets.features.tables import TABLES as FEATURES
from sf_assets.lists.assets import ASSETS as LISTS
from sf_assets.model.assets import ASSETS as MODEL
from sf_assets.sources import known
from sf_assets.sources.nomenclatures.label_tables import csv_path
from sf_assets.staging.assets import ASSETS as STAGED
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.schema import Table


@pytest.mark.parametrize(
    ("root", "changed"),
    [
        ("sf_assets.sources.assets", "sources/arrival.py"),
        ("sf_assets.sources.assets", "sources/text.py"),
        ("sf_assets.staging.assets", "staging/reading.py"),
        ("sf_assets.staging.assets", "staging/dispositions.py"),
        ("sf_assets.staging.assets", "staging/readers.sql"),
        ("sf_assets.staging.assets", "staging/headcount_rules.sql"),
        ("sf_assets.staging.assets", "sources/text.py"),
        ("sf_assets.clean.assets", "clean/report.py"),
        ("sf_assets.model.assets", "model/boosting.py"),
        ("sf_assets.model.assets", "model/splits.py"),
        ("sf_assets.model.assets", "features/registry.py"),
        ("sf_assets.lists.assets", "lists/reasons.py"),
        ("sf_assets.lists.assets", "lists/wording.py"),
        ("sf_assets.lists.assets", "lists/previous_alerts.sql"),
        ("sf_assets.lists.assets", "lists/page/list.html.j2"),
        ("sf_assets.lists.assets", "lists/page/list.css"),
        ("sf_assets.lists.assets", "lists/page/list.js"),
        ("sf_assets.lists.assets", "model/explanations.py"),
        ("sf_assets.evaluation.assets", "evaluation/bootstrap.py"),
    ],
)
def test_a_change_of_a_module_or_query_changes_the_version_of_the_assets_that_use_it(
    root: str, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = code_digest(root)
    of_file = code_versions._digest
    monkeypatch.setattr(code_versions, "_digest", lambda path: b"changed" if path == ROOT / changed else of_file(path))
    assert code_digest(root) != before


def test_a_change_of_a_label_table_or_of_a_query_changes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = csv_path("naf_codes")
    before = code_digest(texts=("select 1",), data=[labels])
    assert code_digest(texts=("select 2",), data=[labels]) != before
    monkeypatch.setattr(code_versions, "_digest", lambda _: b"changed")
    assert code_digest(texts=("select 1",), data=[labels]) != before


def test_modules_of_checks_storage_and_display_do_not_change_a_version() -> None:
    followed = {path.relative_to(ROOT).as_posix() for path in source_files("sf_assets.lists.assets")}
    excluded = ("engine/quality/", "engine/storage/", "engine/charts/", "engine/materialization.py", "engine/preview.py",
                "catalogue/", "operations/", "commands/", "lists/tables.py", "settings.py")  # fmt: skip
    assert [path for path in followed if path.startswith(excluded)] == []
    assert all((ROOT / name).exists() for name in excluded)


def test_imports_are_followed_however_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sf_assets"
    package.mkdir()
    (package / "first.py").write_text(
        "from sf_assets import (\n    second,\n)\n\n\ndef late():\n    import sf_assets.third\n"
    )
    (package / "second.py").write_text('from sf_assets.fourth import NAME as OTHER\n\nQUERY = "asked.sql"\n')
    for name in ("third.py", "fourth.py", "fifth.py", "asked.sql"):
        (package / name).write_text("")
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(code_versions, "ROOT", package)
    found = source_files.__wrapped__("sf_assets.first")
    assert {path.name for path in found} == {"first.py", "second.py", "third.py", "fourth.py", "asked.sql"}


Build = Callable[[Table, Query], dg.AssetsDefinition]


def feature_asset(table: Table, _: Query) -> dg.AssetsDefinition:
    return features._feature_asset(table)


QUERIES: list[tuple[Build, Table, Query]] = [
    (build, table, table_query(package.removeprefix("sf_assets."), table.name))
    for build, package, tables in (
        (query_asset, "sf_assets.clean", CLEAN),
        (feature_asset, "sf_assets.features", FEATURES),
    )
    for table in tables
    if files(package).joinpath(f"{table.name}.sql").is_file()
]
ASKING = [(build, table, query) for build, table, query in QUERIES if "known_from_" in query.text]
OTHERS = [(build, table, query) for build, table, query in QUERIES if "known_from_" not in query.text]


def code_version(build: Build, table: Table, query: Query) -> str | None:
    (version,) = build(table, query).code_versions_by_key.values()
    return version


def names(cases: list[tuple[Build, Table, Query]]) -> list[str]:
    return [table.name for _, table, _ in cases]


@pytest.mark.parametrize(("build", "table", "query"), ASKING, ids=names(ASKING))
def test_a_changed_publication_rule_changes_the_version_of_the_assets_that_call_it(
    build: Build, table: Table, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = code_version(build, table, query)
    other = {name: replace(rule, sql=f"{rule.sql} + 1" if rule.sql else "") for name, rule in known.KNOWN.items()}
    monkeypatch.setattr(known, "KNOWN", other)
    assert code_version(build, table, query) != before


@pytest.mark.parametrize("delay", DELAYS)
def test_a_changed_publication_delay_changes_the_version_of_the_assets_that_depend_on_it(
    delay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    concerned = {name for name, rule in known.KNOWN.items() if f"${delay}" in rule.sql}
    dependent = [case for case in ASKING if any(f"known_from_{name}(" in case[2].text for name in concerned)]
    before = {table.name: code_version(build, table, query) for build, table, query in QUERIES}
    monkeypatch.setitem(DELAYS, delay, DELAYS[delay] + 1)
    after = {table.name: code_version(build, table, query) for build, table, query in QUERIES}
    assert {name for name in after if after[name] != before[name]} == set(names(dependent))
    # No feature uses the accounts of Banque de France and Diane yet.
    assert dependent or delay == "bilans_months"


def versions(parameters: Parameters) -> dict[str, str | None]:
    """Return the code version of each asset in a deployment of some parameters."""
    assets = with_settings([*STAGED, *CLEANED, *features.assets_of(), *MODEL, *LISTS, *EVALUATION], parameters)
    return {key.to_user_string(): version for one in assets for key, version in one.code_versions_by_key.items()}


CHANGED = {
    "cutoff_shift_days": (
        {"cutoff_shift_days": -3},
        {"clean_procol_at_date", "feat_dette", "model_target", "list_alerts"},
    ),
    "mode": ({"mode": "open"}, {"stg_filter_import", "perimeter_report", "model_fitted", "list_export"}),
    "perimeter_staff": ({"perimeter_staff": 20}, {"stg_filter_import", "feat_company_month", "perimeter_report"}),
    "perimeter_recent": ({"perimeter_recent": True}, {"stg_filter_import", "stg_filter_steps"}),
    "perimeter_months": ({"perimeter_months": 100}, {"stg_filter_import", "feat_company_month", "model_fitted"}),
    "training_failures": ({"training_failures": 7}, {"model_fitted", "model_evaluation", "eval_backtest"}),
    "alert_shares": ({"alert_shares": (0.01, 0.05)}, {"model_fitted", "eval_figures"}),
    "alert_precisions": ({"alert_precisions": (0.5, 0.1)}, {"model_fitted", "eval_figures"}),
    "corrections": ({"corrections": ("dette",)}, {"list_corrections"}),
    "dropped_columns": ({"dropped_columns": ("stg_ccsf.stade",)}, {"stg_ccsf"}),
    "delays": ({"delays": {"procol_days": 3}}, {"clean_procedure", "model_target", "model_fitted"}),
}


@pytest.mark.parametrize(("changed", "concerned"), CHANGED.values(), ids=CHANGED)
def test_a_changed_setting_changes_the_version_of_the_assets_whose_rows_it_decides(
    changed: dict[str, object], concerned: set[str]
) -> None:
    before, after = versions(Parameters()), versions(Parameters(**changed))
    found = {name for name in before if before[name] != after[name]}
    assert found >= concerned
    assert found.isdisjoint({"stg_debit", "clean_debit", "model_scores"})


def test_every_setting_that_results_depend_on_is_tried() -> None:
    assert set(CHANGED) == set(Parameters.model_fields)


def test_an_asset_that_takes_parameters_says_which_decide_its_rows() -> None:
    # An asset of the clean layer binds the settings that its query names, which may be none.
    for one in (*STAGED, *features.assets_of(), *MODEL, *LISTS, *EVALUATION):
        declared = all(spec.metadata["settings"] for spec in one.specs)
        assert declared == ("parameters" in one.required_resource_keys), one.node_def.name


@pytest.mark.parametrize(("build", "table", "query"), OTHERS, ids=names(OTHERS))
def test_publication_rules_do_not_change_the_version_of_other_assets(
    build: Build, table: Table, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = code_version(build, table, query)
    monkeypatch.setattr(known, "KNOWN", {})
    assert code_version(build, table, query) == before
