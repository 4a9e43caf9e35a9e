"""Settings are read from the environment in one place; an invalid one stops the start with a message that names it."""

import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from sf_assets.model.assets import rules_of
from sf_assets.model.learning import months_in_perimeter_window
from sf_assets.model.splits import InsufficientHistory, Split, SplitRules, minimum_months, plan_split
from sf_assets.settings import PREFIX, Settings, resources_for
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import add_months


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables SF_* of the process: Great Expectations, once imported, sets SF_PARTNER."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_an_empty_environment_gives_the_defaults_of_production() -> None:
    settings = Settings.from_environment({})
    assert settings.data_dir == Path("data")
    assert (settings.perimeter_months, settings.perimeter_staff, settings.perimeter_recent) == (120, 10, False)
    assert (settings.cutoff_shift_days, settings.training_failures, settings.threads) == (0, 50, 2)
    assert settings.catalog_path == str(Path("data/warehouse/catalog.sqlite").absolute())


def test_variables_without_the_prefix_are_ignored() -> None:
    assert Settings.from_environment({"PATH": "/bin", "THREADS": "many"}) == Settings.from_environment({})


def test_the_variable_that_dagster_and_great_expectations_set_is_ignored() -> None:
    # Dagster sets it in every run that it launches, before the definitions load; Great Expectations when it is imported.
    assert Settings.from_environment({"SF_PARTNER": "DagsterLabs_Dagster"}) == Settings.from_environment({})


def test_each_setting_is_read_from_the_variable_of_its_name(
    bare_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SF_DATA_DIR", "/srv/sf")
    monkeypatch.setenv("SF_CATALOG", "postgres:dbname=sf")
    monkeypatch.setenv("SF_PERIMETER_RECENT", "true")
    settings = Settings.from_environment()
    assert settings.data_dir == Path("/srv/sf")
    assert settings.catalog_path == "postgres:dbname=sf"
    assert settings.perimeter_recent is True


def test_an_unknown_variable_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"SF_THREAD unknown, expected one of .*SF_THREADS"):
        Settings.from_environment({"SF_THREAD": "2"})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SF_THREADS", "many", "valid integer"),
        ("SF_THREADS", "0", "greater than or equal to 1"),
        ("SF_CUTOFF_SHIFT_DAYS", "31", "less than or equal to 27"),
        ("SF_PERIMETER_STAFF", "-1", "greater than or equal to 0"),
        ("SF_PERIMETER_RECENT", "peut-être", "valid boolean"),
        ("SF_DELAYS", "procol_days=3", "expected a JSON object such as"),
        ("SF_DELAYS", '{"procl_days": 3}', "procol_days"),
        ("SF_DELAYS", '{"comptes_months": -7}', "from 0 to 366, found comptes_months -7"),
        ("SF_DELAYS", '{"comptes_months": 1.5}', "from 0 to 366, found comptes_months 1.5"),
        ("SF_DELAYS", '{"procol_days": true}', "from 0 to 366, found procol_days True"),
    ],
)
def test_an_invalid_value_is_refused_with_the_name_of_its_variable(name: str, value: str, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"environment: {name}: .*{expected}.*, found .*{value[2:-2]}"):
        Settings.from_environment({name: value})


def test_several_invalid_settings_are_reported_at_once() -> None:
    with pytest.raises(ValueError, match=r"SF_MEMORY_LIMIT: .*; SF_THREADS: "):
        Settings.from_environment({"SF_MEMORY_LIMIT": "plenty", "SF_THREADS": "many"})


def test_assets_get_folders_and_parameters_of_the_settings(tmp_path: Path) -> None:
    resources = resources_for(Settings(data_dir=tmp_path, perimeter_months=24, delays={"procol_days": 3}))
    parameters = resources["parameters"]
    assert isinstance(parameters, Parameters)
    assert parameters.perimeter_months == 24
    assert parameters.all_delays["procol_days"] == 3
    assert parameters.all_delays["effectif_months"] == 3
    # Parameters built without settings are validated too.
    with pytest.raises(ValueError, match="from 0 to 366, found procol_days -1"):
        _ = Parameters(delays={"procol_days": -1}).all_delays
    assert resources["folders"].incoming.root == tmp_path / "incoming"  # type: ignore[attr-defined]


def test_the_defaults_can_train_a_model(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.from_environment({})
    assert caplog.messages == []
    month = date(2026, 10, 1)
    history = [add_months(month, -n) for n in range(150)]
    usable = months_in_perimeter_window(month, settings.perimeter_months, tuple(history))
    failures = pl.DataFrame([{"siren": f"{i:09}", "periode": m} for m in usable for i in range(60)])
    assert isinstance(plan_split(month, usable, failures, settings.split_rules), Split)


@pytest.mark.parametrize("variables", [{}, {"SF_DELAYS": '{"procol_days": 75}'}, {"SF_CUTOFF_SHIFT_DAYS": "10"}])
def test_a_window_too_short_to_train_a_model_gives_a_warning(
    variables: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    needed = minimum_months(Settings.from_environment(variables).split_rules)
    Settings.from_environment(variables | {"SF_PERIMETER_MONTHS": str(needed)})
    assert caplog.messages == []
    short = {"SF_PERIMETER_MONTHS": str(needed - 1), "SF_ALERT_SHARES": "0.01,0.05"}
    Settings.from_environment(variables | short)
    window, shares = caplog.messages
    assert f"SF_PERIMETER_MONTHS={needed - 1}: no model will ever be trained" in window
    assert f"{needed} months in a row are needed" in window
    assert shares.startswith("SF_ALERT_SHARES: without effect")
    month = date(2026, 10, 1)
    for count, kind in ((needed, Split), (needed - 1, InsufficientHistory)):
        months = [add_months(month, -n) for n in range(count)]
        failures = pl.DataFrame([{"siren": f"{i:09}", "periode": m} for m in months for i in range(60)])
        rules = Settings.from_environment(variables).split_rules
        assert isinstance(plan_split(month, months, failures, rules), kind)


def test_a_perimeter_of_current_employers_gives_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Settings.from_environment({"SF_PERIMETER_RECENT": "true", "SF_ALERT_PRECISIONS": "0.2,0.1"})
    warning, precisions = caplog.messages
    assert "none is left in the files to learn from" in warning
    assert precisions.startswith("SF_ALERT_PRECISIONS: without effect")


def test_a_longer_publication_delay_changes_the_split_rules() -> None:
    settings = Settings.from_environment({"SF_DELAYS": '{"procol_days": 75}', "SF_TRAINING_FAILURES": "7"})
    assert settings.split_rules == SplitRules(publication_days=75, training_failures=7)
    parameters = resources_for(settings)["parameters"]
    assert isinstance(parameters, Parameters)
    assert rules_of(parameters) == settings.split_rules
