"""Settings come from the environment, in one place, and a mistake stops the start with a message that names it."""

import os
from pathlib import Path

import pytest

from sf_assets.resources import Parameters, resources_for
from sf_assets.settings import PREFIX, Settings


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the process has of ours: Great Expectations, once imported, leaves a variable SF_PARTNER there."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_an_empty_environment_gives_the_defaults_of_production() -> None:
    settings = Settings.from_environment({})
    assert settings.data_dir == Path("data")
    assert (settings.perimeter_months, settings.perimeter_staff, settings.perimeter_recent) == (36, 10, False)
    assert (settings.cutoff_shift_days, settings.training_failures, settings.threads) == (0, 50, 2)
    assert settings.catalog_path == str(Path("data/warehouse/catalog.sqlite").absolute())


def test_variables_of_others_are_not_looked_at() -> None:
    assert Settings.from_environment({"PATH": "/bin", "THREADS": "many"}) == Settings.from_environment({})


def test_what_dagster_and_great_expectations_leave_in_the_environment_is_not_taken_for_a_setting() -> None:
    # Dagster sets it in every run it launches, before it loads the definitions; Great Expectations when it judges.
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
        ("SF_DELAYS", '{"procl_days": 3}', "procol_days"),
        ("SF_DELAYS", '{"comptes_months": -7}', "from 0 to 366, found comptes_months -7"),
        ("SF_DELAYS", '{"comptes_months": 1.5}', "from 0 to 366, found comptes_months 1.5"),
        ("SF_DELAYS", '{"procol_days": true}', "from 0 to 366, found procol_days True"),
    ],
)
def test_an_unusable_value_is_refused_by_the_name_of_its_variable(name: str, value: str, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"environment: {name}: .*{expected}.*, found .*{value[2:-2]}"):
        Settings.from_environment({name: value})


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"SF_MEMORY_LIMIT: .*; SF_THREADS: "):
        Settings.from_environment({"SF_MEMORY_LIMIT": "plenty", "SF_THREADS": "many"})


def test_assets_get_folders_and_parameters_of_the_settings(tmp_path: Path) -> None:
    resources = resources_for(Settings(data_dir=tmp_path, perimeter_months=24, delays={"procol_days": 3}))
    parameters = resources["parameters"]
    assert isinstance(parameters, Parameters)
    assert parameters.perimeter_months == 24
    assert parameters.all_delays["procol_days"] == 3
    assert parameters.all_delays["effectif_months"] == 3
    # Those who build the resources themselves are held to the same.
    with pytest.raises(ValueError, match="from 0 to 366, found procol_days -1"):
        _ = Parameters(delays={"procol_days": -1}).all_delays
    assert resources["folders"].incoming_path == tmp_path / "incoming"  # type: ignore[attr-defined]
