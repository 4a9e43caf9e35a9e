"""The evaluation report: SVG charts, figures as text, and the comparison of methods with the oracle."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score

from sf_assets.engine.charts.curves import Curve, Span, calibration, intervals, precision_recall
from sf_assets.engine.storage import Warehouse
from sf_assets.evaluation.bootstrap import draw_weights
from sf_assets.evaluation.oracle import compare_with_oracle, learn_bound, load_oracle
from sf_assets.evaluation.page import replace_tables
from sf_assets.evaluation.panel import Panel, panel_of
from sf_assets.evaluation.report import format_figure
from sf_assets.evaluation.results import load_results
from sf_assets.model.curves import calibration_of, distribution_of, precision_recall_of
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.partitions import add_months

SVG = "{http://www.w3.org/2000/svg}"
CURVES = (Curve("forêt & co", [0, 0.5, 1], [0.9, 0.4, 0.1]), Curve("<seuils>", [0, 1], [0.5, 0.1]))
DRAWINGS = {
    "precision_recall": precision_recall(CURVES, title="a < b"),
    "calibration": calibration(CURVES, title="a < b"),
    "intervals": intervals([Span("<3", 0.2, 0.1, 0.3), Span("?", None)], title="a < b", reference=0.15),
    "nothing": intervals([], title="a < b"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_chart_is_valid_svg_titled_and_within_its_page(name: str) -> None:
    root = ET.fromstring(DRAWINGS[name])  # noqa: S314 - our own text
    assert root.find(f"{SVG}title").text == "a < b"
    width, height = (float(root.get("viewBox").split()[place]) for place in (2, 3))
    for line in root.iter(f"{SVG}polyline"):
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_every_curve_and_interval_is_drawn_and_named() -> None:
    assert DRAWINGS["precision_recall"].count("<polyline") == 2
    assert "&lt;seuils&gt;" in DRAWINGS["precision_recall"]
    assert DRAWINGS["intervals"].count("<rect") == 2, "an undefined value has neither dot nor interval"
    assert ">–<" in DRAWINGS["intervals"]


def test_curves_describe_the_scores() -> None:
    score = np.linspace(0, 1, 1000)
    target = score > 0.7
    curve = precision_recall_of("perfect", score, target)
    assert set(curve.y) == {1.0}
    assert max(curve.x) == 1
    calibrated = calibration_of("steps", score, target)
    assert calibrated.y == [0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert distribution_of(np.array([0.005, 0.004, 1.0])) == [2, *[0] * 98, 1]


def test_a_figure_is_written_with_its_interval_or_a_dash() -> None:
    assert format_figure(0.12345, 0.1, 0.2) == "0.123 [0.100, 0.200]"
    assert format_figure(0.12345) == "0.123"
    assert format_figure(None) == "–"
    assert format_figure(5.55, 4.44, 6.66) == "5.5 [4.4, 6.7]"


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="found neither"):
        replace_tables("no mark", None)  # type: ignore[arg-type]


def two_years() -> Panel:
    months = [add_months(date(2020, 4, 1), n) for n in range(24)]
    return panel_of(
        pl.DataFrame(
            [
                {
                    "siren": f"{i:09}", "periode": month, "origine": date(2020 + (month >= date(2021, 4, 1)), 4, 1),
                    "target": i % 10 == 0, "en_procedure": i == 1, "date_defaillance": None, "section": "F",
                    "region": "Corse", "effectif": 12.0, "age_entreprise": 4.0,
                }
                for month in months
                for i in range(60)
            ],
            schema_overrides={"date_defaillance": pl.Date},
        )
    )  # fmt: skip


def test_methods_are_compared_with_the_oracle_on_the_rows_it_knows(tmp_path: Path) -> None:
    panel = two_years()
    rng = np.random.default_rng(0)
    truth = np.where(panel.target, 0.4, 0.1) + rng.random(panel.target.size) / 3
    rows = pl.DataFrame(
        {
            "siren": panel.companies.gather(panel.company),
            "periode": pl.Series(panel.months).gather(panel.period),
            "probability_18m": truth,
        }
    )
    rows.filter(pl.col("siren") != "000000002").sample(fraction=1, shuffle=True, seed=1).write_parquet(
        tmp_path / "o.parquet"
    )
    oracle = load_oracle(tmp_path / "o.parquet", panel)
    unknown = panel.company == 2
    assert np.isnan(oracle[unknown]).all()
    assert np.array_equal(oracle[~unknown], truth[~unknown])
    worse = truth + rng.random(truth.size)
    bound = np.where(np.isnan(oracle), np.nan, truth + rng.random(truth.size) / 2)
    found = compare_with_oracle(panel, oracle, bound, {"same": truth, "worse": worse}, draw_weights(60, replicates=50))
    assert [(one.group, one.method) for one in found] == [
        (group, method) for group in ("ensemble", "2020-04", "2021-04") for method in ("same", "worse")
    ]
    same, other = found[:2]
    assert (same.ratio.value, same.ratio.low, same.ratio.high) == (1, 1, 1)
    kept = ~unknown & ~panel.en_procedure
    expected = [average_precision_score(panel.target[kept], panel.ranks(score, kept)[kept]) for score in (worse, truth)]
    assert other.ratio.value == pytest.approx(expected[0] / expected[1])
    assert other.ratio.low < other.ratio.value < other.ratio.high < 1
    expected_bound = average_precision_score(panel.target[kept], panel.ranks(bound, kept)[kept])
    assert other.bound.value == pytest.approx(expected_bound)
    assert other.of_bound.value == pytest.approx(expected[0] / expected_bound)


def test_the_bound_is_what_features_tell_about_other_companies() -> None:
    rng = np.random.default_rng(3)
    companies, months = 900, 6
    state = rng.normal(size=companies)
    hidden = rng.normal(size=companies)
    truth = np.tile(1 / (1 + np.exp(3 - state - hidden)), months)
    company = np.tile(np.arange(companies), months)
    panel = SimpleNamespace(companies=pl.Series(np.arange(companies)), company=company,
                            en_procedure=np.arange(company.size) % 50 == 0)  # fmt: skip
    told = (state[company] + rng.normal(size=company.size) / 10)[:, np.newaxis].astype(np.float32)
    named = company[:, np.newaxis]
    bound = learn_bound(panel, truth, told)
    assert np.isnan(bound[panel.en_procedure]).all()
    seen = ~panel.en_procedure
    conditional = 1 / (1 + np.exp(3 - state[company]))
    assert np.corrcoef(np.log(bound[seen]), np.log(conditional[seen]))[0, 1] > 0.9
    of_names = learn_bound(panel, truth, named.astype(np.float32))
    assert abs(np.corrcoef(of_names[seen], truth[seen])[0, 1]) < 0.2, (
        "a company's own probability would be known by its number"
    )


def test_a_month_without_a_past_origin_is_refused_in_a_sentence(warehouse: Warehouse) -> None:
    with (
        warehouse.session() as session,
        pytest.raises(UserError, match="No origin has enough months and failing companies"),
    ):
        load_results(session, date(2026, 10, 1), 0, Path("no oracle"))
