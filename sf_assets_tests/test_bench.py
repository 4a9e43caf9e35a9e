"""The benchmark measures plausible costs on a tiny batch, and leaves no file behind."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sf_assets_dev.bench import country
from sf_assets_dev.bench import stages as bench
from sf_assets_dev.bench.country import register_cost, sizes
from sf_assets_dev.bench.limits import growth
from sf_assets_dev.bench.stages import Cost, Workspace

OCTOBER = date(2026, 10, 1)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder to which every variable about the user's own data points."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("bench"), OCTOBER, 40)


@pytest.fixture(scope="module")
def costs(workspace: Workspace, elsewhere: Path) -> list[Cost]:
    """Measure the generator, the arrivals and their checks as `make bench` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        for name in ("HOME", "DAGSTER_HOME", "SF_DATA_DIR", "TMPDIR"):
            patch.setenv(name, str(elsewhere))
        patch.setenv("SF_CATALOG", str(elsewhere / "catalog.sqlite"))
        generated = workspace.in_new_process(bench.generate)
        made, checked = workspace.in_new_process(bench.run_stage, "sources")
    return [generated, bench.total_cost("sources", made), bench.total_cost("checks", checked)]


def test_every_stage_has_rows_seconds_and_a_plausible_peak(costs: list[Cost]) -> None:
    for cost in costs:
        assert cost.rows > 0
        assert 0 < cost.seconds < 60
        assert 0 < cost.processor < 120
        assert 50 < cost.peak < 4096


def test_arrivals_count_every_line_of_the_files_their_header_included(workspace: Workspace, costs: list[Cost]) -> None:
    generated, sources, _ = costs
    assert sources.rows == generated.rows + len(list((workspace.folder / "incoming" / "2610").iterdir()))


def test_nothing_is_written_into_the_folders_of_the_user(costs: list[Cost], elsewhere: Path) -> None:
    assert list(elsewhere.iterdir()) == []


def test_a_stage_does_not_inherit_the_memory_of_the_process_that_starts_it(tmp_path: Path) -> None:
    held = bytearray(b"x") * (600 << 20)
    bench.reset_peak()
    assert bench.peak() > 600
    assert Workspace(tmp_path, OCTOBER, 40).in_new_process(_peak) < 600
    del held


def _peak(_: Workspace) -> float:
    return bench.peak()


def test_a_reset_ignores_memory_that_was_released(tmp_path: Path) -> None:
    before, after = Workspace(tmp_path, OCTOBER, 40).in_new_process(_peak_before_and_after_release)
    assert after < before - 500


def _peak_before_and_after_release(_: Workspace) -> tuple[float, float]:
    held = bytearray(b"x") * (600 << 20)
    before = bench.peak()
    del held
    bench.reset_peak()
    return before, bench.peak()


def test_costs_add_up_except_for_the_peak() -> None:
    assert bench.total_cost("both", [Cost("a", 10, 1.5, 300, 2), Cost("b", 20, 2.5, 200, 3)]) == Cost(
        "both", 30, 4.0, 300, 5
    )


def test_lines_are_as_wide_as_their_heading() -> None:
    texts = [*bench.heading("stage"), bench.line(Cost("lists", 0, 0.0, 400.4)), bench.line(Cost("x", 10**8, 1e3, 4e3))]
    assert len({len(text) for text in texts}) == 1
    assert texts[2] == "| lists                    |           0 |      0.0 |      0.0 |         0 |      400 |"


def test_a_size_of_the_country_has_its_share_of_the_register() -> None:
    assert sizes([5_000, 20_000], 0.1) == [(5_000, 0.025), (20_000, 0.1)]
    assert sizes([350_000], 1) == [(350_000, 1.0)]


def test_the_cost_of_the_register_is_that_of_its_tables_and_of_their_checks() -> None:
    costs = {
        "staging": [Cost("stg_sirene", 100, 1, 500, 2), Cost("stg_debit", 7, 9, 900, 9)],
        "clean": [Cost("clean_sirene", 100, 2, 700, 3), Cost("clean_sirene_ul", 50, 2, 600, 4)],
        "checks": [Cost("stg_sirene_checks", 100, 1, 400, 1), Cost("stg_debit_checks", 7, 1, 400, 1)],
    }
    assert register_cost(costs) == Cost("register, with its checks", 350, 6, 700, 10)


def test_growth_is_the_exponent_of_processor_seconds_with_rows() -> None:
    small, large = (
        [Cost("a", 100, 9, 1, 1.0), Cost("new", 1, 1, 1, 1)],
        [Cost("a", 400, 9, 1, 4.0), Cost("b", 2, 1, 1, 1)],
    )
    assert [*growth("Growth", small, large)][-1] == "| a | 100 → 400 | 1.0 → 4.0 | 1.00 |"


def test_the_country_is_reported_by_size_with_its_register_and_the_growth_between_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def report(workspace: Workspace, costs: dict[str, list[Cost]]) -> Iterator[str]:
        rows, seconds = workspace.companies * 100, workspace.companies / 10
        costs |= {
            "staging": [Cost("stg_sirene", rows, 1, 500, seconds)],
            "clean": [Cost("clean_sirene", rows, 1, 600, seconds)],
            "checks": [Cost("clean_sirene_checks", rows, 1, 400, seconds)],
            "stages": [Cost("staging", rows, 1, 500, seconds)],
        }
        yield f"{workspace.companies} companies, {workspace.register:.3f} of the register"

    monkeypatch.setattr(country, "report", report)
    lines = [*country.measure([50, 200], OCTOBER, 0.1)]
    assert [line for line in lines if line.endswith("of the register")] == [
        "50 companies, 0.025 of the register", "200 companies, 0.100 of the register",
    ]  # fmt: skip
    assert "| register, with its checks | 15,000 → 60,000 | 15.0 → 60.0 | 1.00 |" in lines
    assert "| staging | 5,000 → 20,000 | 5.0 → 20.0 | 1.00 |" in lines
