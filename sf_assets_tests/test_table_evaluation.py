"""The methods are evaluated on anyone's panel: columns named by its owner, later periods, other companies, refusals by name."""

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sf_assets.commands.app import main
from sf_assets.evaluation.figures import ALL_COMPANIES, UNSEEN_COMPANIES
from sf_assets.evaluation.labelled_table import read_table
from sf_assets.evaluation.table_columns import ratios
from sf_assets.evaluation.table_evaluation import TableEvaluation, evaluate_table, split_periods
from sf_assets.evaluation.table_report import render_table_report, summary_lines
from sf_assets.model import settings
from sf_assets.model.boosting import BoostingMethod
from sf_assets.model.columns import Names
from sf_assets.model.logistic import LogisticMethod
from sf_assets.model.methods import METHODS
from sf_assets.model.settings import SETTINGS, choose_setting
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.operations import evaluation_report
from sf_assets.vocabulary.failures import UserError

NAMES = Names("company", "failed", "year")
FAST = {"logistique": LogisticMethod, "seuils": ThresholdMethod}


def public_panel(companies: int = 700, years: int = 8) -> pl.DataFrame:
    """Return firm-years as public panels have them: ratios with holes, a sector in words, a rate that rises in the last years."""
    rng = np.random.default_rng(12)
    frailty = np.repeat(rng.normal(size=companies), years)
    year = np.tile(np.arange(1999, 1999 + years), companies)
    rate = -4.0 + 0.8 * (year >= 1999 + years - 3)
    failed = rng.random(frailty.size) < 1 / (1 + np.exp(-rate - 1.3 * frailty))
    debt = np.where(rng.random(frailty.size) < 0.1, np.nan, frailty + rng.normal(size=frailty.size))
    return pl.DataFrame(
        {
            "company": np.repeat([f"C{i}" for i in range(companies)], years),
            "year": year,
            "name": np.repeat([f"Firm {i}" for i in range(companies)], years),
            "debt_to_assets": debt,
            "margin": rng.normal(size=frailty.size) - 0.5 * frailty,
            "sector": rng.choice(["steel", "retail"], frailty.size),
            "failed": failed.astype(int),
        }
    ).fill_nan(None)


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("panel") / "firms.parquet"
    # Rows in no order, and columns too.
    public_panel().sample(fraction=1.0, shuffle=True, seed=3).select(
        "failed", pl.all().exclude("failed")
    ).write_parquet(path)
    return path


@pytest.fixture(scope="module")
def evaluated(panel: Path) -> TableEvaluation:
    return evaluate_table(read_table(panel, NAMES), FAST)


def figure(evaluation: TableEvaluation, name: str, companies: str, method: str = "logistique") -> tuple[float, ...]:
    (row,) = evaluation.figures.filter(mesure=name, entreprises=companies, methode=method).rows(named=True)
    return row["valeur"], row["bas"], row["haut"]


def test_a_panel_is_read_by_the_names_of_its_owner(panel: Path) -> None:
    table = read_table(panel, NAMES)
    assert table.features == ("debt_to_assets", "margin", "sector = retail", "sector = steel")
    assert table.left_out == ("name",), "no name of a company is common to twenty"
    assert table.periods == tuple(str(year) for year in range(1999, 2007))
    assert len(set(table.company.tolist())) == 700
    assert read_table(panel, NAMES, ["margin"]).left_out == ("name", "debt_to_assets", "sector")


def test_the_last_periods_measure_what_the_first_ones_taught_with_intervals(evaluated: TableEvaluation) -> None:
    assert (evaluated.learned, evaluated.measured) == ("1999 – 2004", "2005 – 2006")
    for companies in (ALL_COMPANIES, UNSEEN_COMPANIES):
        assert figure(evaluated, "rows", companies)[0] == 1_400
        value, low, high = figure(evaluated, "roc_auc", companies)
        assert low < value < high
        assert value > 0.65
        value, low, high = figure(evaluated, "average_precision", companies)
        assert low < value < high
    assert list(evaluated.skipped) == ["seuils"], "its limits are of columns that the panel has not"
    assert "expected columns dette_sur_cotisation_mean12m" in evaluated.skipped["seuils"]


def test_probabilities_follow_the_newest_years_that_were_learned_from(evaluated: TableEvaluation) -> None:
    error, _, _ = figure(evaluated, "calibration_in_the_large", ALL_COMPANIES)
    assert abs(error) < 0.015, "the rate doubled in the last three years, of which the first was known"


def test_no_company_and_no_later_period_is_learned_from(panel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_table(panel, NAMES)
    fits: list[np.ndarray] = []

    class Spying(LogisticMethod):
        name = "espion"

        def fit(self, X, y, sample_weight=None, groups=None):  # noqa: N803
            fits.append(np.asarray(groups))
            return super().fit(X, y, sample_weight, groups)

    evaluate_table(table, {"espion": Spying}, gap=1, replicates=5)
    whole, *parts = fits
    learning, measuring = split_periods(8, 1)
    assert (list(learning), list(measuring)) == ([0, 1, 2, 3, 4], [6, 7])
    assert len(whole) == 700 * 5
    assert len(parts) == 3
    companies = [set(part.tolist()) for part in parts]
    assert set.intersection(*companies) == set()
    assert all(len(part) == len(names) * 5 for part, names in zip(parts, companies, strict=True))


def test_a_table_of_one_period_is_measured_on_companies_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    public_panel().filter(year=2006).drop("year").write_csv(path)
    evaluation = evaluate_table(read_table(path, Names("company", "failed")), FAST, replicates=20)
    assert set(evaluation.figures["entreprises"]) == {UNSEEN_COMPANIES}
    assert figure(evaluation, "rows", UNSEEN_COMPANIES)[0] == 700
    assert "Une seule période" in render_table_report("one", read_table(path, Names("company", "failed")), evaluation)


@pytest.mark.parametrize(
    ("change", "names", "message"),
    [
        (pl.all(), Names("firm", "failed", "year"), "expected columns firm, found company, year"),
        (
            pl.col("company").replace("C1", None),
            NAMES,
            "expected a value of company in every row, found 8 rows without",
        ),
        (pl.lit(2).alias("failed"), NAMES, "column failed: target: expected two classes, found one class"),
        (pl.lit(0).alias("failed"), NAMES, "table: target: expected failures and others"),
        (pl.col("year") % 3, Names("company", "year"), "column year: Only binary classification is supported"),
        (pl.lit(float("inf")).alias("margin"), NAMES, "table: features: .* found infinity in margin"),
        (pl.all().head(0), NAMES, "firms.parquet: expected rows, found none"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused_with_its_columns(
    change: pl.Expr, names: Names, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "firms.parquet"
    panel = public_panel()
    changed = panel.select(change) if change.meta.has_multiple_outputs() else panel.with_columns(change)
    changed.write_parquet(path)
    with pytest.raises(UserError, match=message):
        evaluate_table(read_table(path, names), {"logistique": METHODS["logistique"]}, replicates=2)


def test_a_gap_that_leaves_no_period_is_refused(panel: Path) -> None:
    with pytest.raises(UserError, match="found 8 periods and a gap of 7"):
        evaluate_table(read_table(panel, NAMES), FAST, gap=7)


def test_the_command_writes_the_report_of_a_panel(
    panel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SF_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(evaluation_report, "METHODS", FAST)

    def exit_code(*arguments: str) -> object:
        monkeypatch.setattr("sys.argv", ["sf", "evaluate", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    named = ("--group", "company", "--period", "year", "--target", "failed")
    assert exit_code("--table", str(panel), *named) == 0
    printed = capsys.readouterr().out
    assert "logistique" in printed
    assert str(tmp_path / "evaluation" / "firms.html") in printed
    page = (tmp_path / "evaluation" / "firms.html").read_text(encoding="utf-8")
    for text in (
        "Toutes les entreprises, sur les périodes suivantes",
        "jamais vues",
        "laissées de côté",
        "name.</p>",
        "<svg",
    ):
        assert text in page
    assert exit_code("--table", str(panel)) == 2
    assert exit_code() == 2
    # The message is framed and wrapped to the width of the terminal.
    assert "or --table with --group and --target" in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert exit_code("--table", str(tmp_path / "absent.parquet"), *named) == 1
    assert "expected a Parquet or CSV file, found none" in capsys.readouterr().err


def test_the_summary_ranks_methods_by_average_precision(evaluated: TableEvaluation) -> None:
    lines = list(summary_lines(evaluated))
    assert [line.split()[0] for line in lines if line.startswith("  ")] == ["logistique", "logistique"]
    assert all("[" in line for line in lines if line.startswith("  "))


def three_way(rows: int = 3_000) -> tuple[pl.DataFrame, np.ndarray]:
    """Return rows whose failure depends on the signs of three features together: trees of four leaves cannot tell."""
    rng = np.random.default_rng(9)
    table = rng.normal(size=(rows, 3))
    return pl.DataFrame(table, schema=["a", "b", "c"]), rng.random(rows) < np.where(table.prod(axis=1) > 0, 0.45, 0.05)


def test_the_setting_of_the_boosting_is_the_one_of_the_least_log_loss_on_other_companies() -> None:
    rows, failed = three_way()
    fast = tuple({**setting, "rounds": 40, "rate": 0.1} for setting in SETTINGS[:3])
    arguments = {"target": failed, "groups": np.arange(3_000) // 2, "settings": fast}
    chosen = choose_setting(("a", "b", "c"), rows, **arguments, recent=None)
    assert len(SETTINGS) == 6
    losses = [one.log_loss for one in chosen.compared]
    assert losses == sorted(losses)
    assert chosen.setting["leaves"] == chosen.compared[0].setting["leaves"] == 15
    assert chosen.compared[-1].setting == fast[0]
    assert chosen.compared[-1].difference == chosen.compared[-1].error == 0
    assert chosen.compared[0].difference == pytest.approx(losses[0] - losses[-1])
    # Recent rows measure and never learn: without a pattern in the others, no setting beats another by much.
    mixed = np.where(np.arange(3_000) % 2 == 0, np.random.default_rng(1).permutation(failed), failed)
    later = choose_setting(("a", "b", "c"), rows, **arguments | {"target": mixed}, recent=np.arange(3_000) % 2 == 1)
    assert min(one.log_loss for one in later.compared) > losses[0] + 0.02


def test_the_setting_in_use_stays_unless_another_is_better_by_the_margin() -> None:
    rows, failed = three_way(1_500)
    fast = ({"rounds": 20, "rate": 0.1}, {"rounds": 20, "rate": 0.1, "leaves": 15, "leaf_rows": 20})
    arguments = {"target": failed, "groups": np.arange(1_500), "recent": None, "settings": fast}
    assert choose_setting(("a", "b", "c"), rows, **arguments).setting == fast[1]
    kept = choose_setting(("a", "b", "c"), rows, **arguments, margin=1_000)
    assert kept.setting == fast[0]
    assert kept.compared[0].setting == fast[1], "the order of what was compared does not follow the choice"


def test_a_table_too_small_for_a_setting_or_for_all_is_refused_with_figures() -> None:
    rows, failed = three_way(180)
    settings = ({"rounds": 5}, {"rounds": 5, "leaf_rows": 80})
    arguments = {"target": failed, "groups": np.arange(180), "recent": None}
    chosen = choose_setting(("a", "b", "c"), rows, **arguments, settings=settings)
    assert [one.setting for one in chosen.compared] == [settings[0]]
    with pytest.raises(ValueError, match=r"boosting: expected 160 rows at least to learn from.* found 9"):
        choose_setting(("a", "b", "c"), rows, **arguments, settings=settings[1:])
    few = np.arange(180) < 10
    assert choose_setting(("a", "b", "c"), rows, **arguments | {"target": few}).compared == ()


def test_a_large_table_is_compared_on_a_sample_that_stands_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, failed = three_way(4_000)
    fast = ({"rounds": 5}, {"rounds": 20, "rate": 0.1, "leaves": 15, "leaf_rows": 20})
    learned: list[tuple[int, float]] = []
    learn = BoostingMethod._learn
    monkeypatch.setattr(
        BoostingMethod,
        "_learn",
        lambda self, *table: learned.append((len(table[0]), table[2].sum())) or learn(self, *table),
    )
    arguments = {"target": failed, "groups": np.arange(4_000), "recent": None, "settings": fast}
    chosen = choose_setting(("a", "b", "c"), rows, **arguments, at_most=1_000)
    assert max(count for count, _ in learned) < 700, "a quarter of the rows, of two thirds of the companies"
    assert learned[0][1] == pytest.approx(4_000 * 2 / 3 * 0.8, rel=0.1)
    assert chosen.setting["leaf_rows"] == pytest.approx(80, abs=6), "the rows of a leaf grow with the table"


def spying(learn, used: list[int]):
    def spy(self, *arguments):
        used.append(self.leaves)
        learn(self, *arguments)

    return spy


def test_the_chosen_setting_is_used_and_reported(panel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_table(panel, NAMES)
    fast = ({"rounds": 10, "leaves": 4}, {"rounds": 10, "leaves": 8, "columns": 0.5})
    monkeypatch.setattr(settings, "choose_setting", partial(choose_setting, settings=fast))
    used: list[int] = []
    monkeypatch.setattr(BoostingMethod, "_learn", spying(BoostingMethod._learn, used))
    evaluation = evaluate_table(table, {"boosting": BoostingMethod}, replicates=2)
    assert [one.setting for one in evaluation.setting.compared] in (list(fast), list(reversed(fast)))
    # The comparison fits three folds of each setting; the chosen one makes all the fits after it.
    assert set(used[6:]) == {evaluation.setting.setting["leaves"]}
    assert len(used) > 6
    page = render_table_report("firms", table, evaluation)
    assert "Réglage du boosting" in page
    assert "part des variables 0,5" in page


def test_a_category_teaches_by_its_frequent_values_and_an_unknown_one_stays_unknown(tmp_path: Path) -> None:
    few = pl.col("company").is_in([f"C{i}" for i in range(19)])
    public_panel(200, 2).with_columns(
        sector=pl.when(pl.int_range(pl.len()) >= 4).then("sector"),
        activity=pl.when(few).then(pl.lit("rare")).otherwise(pl.lit("common")).cast(pl.Categorical),
    ).write_parquet(tmp_path / "firms.parquet")
    table = read_table(tmp_path / "firms.parquet", NAMES)
    assert "activity = common" in table.features
    assert "activity = rare" not in table.features, "nineteen companies are fewer than a leaf"
    assert table.rows["sector = steel"].null_count() == 4
    assert set(table.rows["sector = steel"].drop_nulls().unique()) == {0.0, 1.0}


def test_ratios_are_features_only_when_asked_for(panel: Path) -> None:
    table = read_table(panel, NAMES, with_ratios=True)
    assert not [name for name in table.features if " / " in name], "neither column is always positive"
    amounts = pl.DataFrame({"sales": [10.0, 20.0], "profit": [-1.0, 4.0], "assets": [0.0, 40.0], "cash": [-1.0, 1.0]})
    found = ratios(amounts)
    assert found.columns == ["profit / sales", "sales / assets", "cash / sales", "profit / assets", "cash / assets"]
    assert found["sales / assets"].to_list() == [None, 0.5]
    assert found["profit / sales"].to_list() == [-0.1, 0.2]
    with pytest.raises(UserError, match="expected at most 30 columns of amounts, found 31"):
        ratios(pl.DataFrame({f"x{i}": [1.0] for i in range(31)}))


def test_ratios_of_raw_amounts_tell_what_amounts_do_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    size, leverage = rng.lognormal(3, 2, 1_500), rng.uniform(0.1, 1.5, 1_500)
    failed = rng.random(1_500) < 1 / (1 + np.exp(5 - 4 * leverage))
    path = tmp_path / "raw.parquet"
    pl.DataFrame({"company": range(1_500), "assets": size, "debt": size * leverage, "failed": failed}).write_parquet(
        path
    )
    precisions = []
    for asked in (False, True):
        table = read_table(path, Names("company", "failed"), with_ratios=asked)
        evaluation = evaluate_table(table, {"logistique": LogisticMethod}, replicates=2)
        precisions.append(figure(evaluation, "roc_auc", UNSEEN_COMPANIES)[0])
    assert precisions[1] > precisions[0] + 0.03


def test_a_table_without_anything_to_learn_from_is_refused(tmp_path: Path) -> None:
    public_panel(30, 2).select("company", "year", "failed", "name").write_csv(tmp_path / "names.csv")
    with pytest.raises(UserError, match="expected columns of numbers or categories to learn from, found name"):
        read_table(tmp_path / "names.csv", NAMES)
    days = public_panel(30, 2).with_columns(opened=pl.date(2001, 5, 3))
    days.write_parquet(tmp_path / "days.parquet")
    with pytest.raises(UserError, match=r"to learn from, found opened$"):
        read_table(tmp_path / "days.parquet", NAMES, ["opened"])


@pytest.mark.parametrize(("name", "form"), [("panel.parquet", "Parquet"), ("panel.csv", "CSV with commas")])
def test_a_file_that_cannot_be_read_is_refused_by_its_path(name: str, form: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('company,year\n1,2,3\n"')
    with pytest.raises(UserError, match=rf"{name}: expected a {form} file, found one that cannot be read"):
        read_table(tmp_path / name, NAMES)
