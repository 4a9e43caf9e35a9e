"""Charts are small, well-formed SVG texts, legible on light and dark pages, that match their figures."""

import base64
import re
from datetime import date
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from sf_assets.engine.charts.bars import bars
from sf_assets.engine.charts.calendar import arrivals, coverage
from sf_assets.engine.charts.company import radar, waterfall
from sf_assets.engine.charts.curves import Curve, Span, calibration, intervals, precision_recall
from sf_assets.engine.charts.histogram import histogram
from sf_assets.engine.charts.svg import BLUE, GREEN, GREY, INK, ORANGE, RED, embedded, shade, text_width
from sf_assets.engine.stability import stability_index_with_unknown
from sf_assets.features.registry import THEMES

MONTHS = [date(2026, month, 1) for month in range(1, 11)]
SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 30_000

CHARTS = {
    "bars": bars([("a < b & c", {"record": 3, "cell": 1}), ("d", {"record": 2})], title="t"),
    "many bars": bars([(f"row {n}", {"one": n}) for n in range(500)], title="t"),
    "no bars": bars([], title="t"),
    "arrivals": arrivals(["debit", "paydex"], MONTHS, {("debit", MONTHS[0]): "refused"}),
    "no arrivals": arrivals(["debit"], [], {}),
    "coverage": coverage(
        [f"source {n}" for n in range(30)], MONTHS + MONTHS + MONTHS[:4], {("source 1", MONTHS[0]): 0.5}
    ),
    "no coverage": coverage(["debit"], [], {}),
    "scores": histogram([2000, 30, 0, 4], {"modéré": 0.25, "fort": 0.75}, title="t"),
    "waterfall": waterfall({"Dettes": 30.0, "Comptes": -10.0}, {"fort": 15.0}, title="t"),
    "radar": radar({"Dettes": 0.9, "Effectif": 0.1, "Comptes": 0.5}, title="t"),
    "close thresholds": waterfall({"Dettes": 3.0}, {"modéré": 5.0, "fort": 5.1}, title="t"),
    "equal thresholds": waterfall({"Dettes": 0.0}, {"modéré": 5.0, "fort": 5.0}, title="t"),
    "long words": waterfall(dict.fromkeys(THEMES.values(), -2.0), {"modéré": 5.0, "fort": 60.0}, title="t"),
    "long axes": radar(dict.fromkeys(THEMES.values(), 1.0), title="t"),
    "curves": precision_recall([Curve("Régression logistique en deux étages", [0, 1], [1, 0])], title="t"),
    "calibration": calibration([Curve("Forêt", [0.001, 0.02], [0.001, 0.02])], title="t"),
    "intervals": intervals([Span(name, 0.1, 0.05, 0.2) for name in THEMES.values()], title="t"),
    "no scores": histogram([0, 0], {}, title="t"),
}


def squares_by_colour(svg: str) -> dict[str | None, int]:
    """Return the number of squares by colour."""
    paths = ET.fromstring(svg).iter(f"{SVG}path")  # noqa: S314 - our own
    return {path.get("fill"): str(path.get("d")).count("M") for path in paths if path.get("fill")}


def words(svg: str) -> list[str | None]:
    return [one.text for one in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


# Names of sources are cut on purpose; calendars and bars are pages of operators.
FRENCH = [name for name in CHARTS if name not in {"bars", "many bars", "no bars", "arrivals", "coverage"}]


def boxes(svg: str) -> list[tuple[str, float, float, float]]:
    """Return each text with its left and right ends and its baseline, its width as drawn by the widest usual font."""
    found = []
    for one in ET.fromstring(svg).iter(f"{SVG}text"):  # noqa: S314 - our own
        words, x = str(one.text), float(one.get("x", 0))
        before = {"end": 1.0, "middle": 0.5}.get(one.get("class", ""), 0.0) * text_width(words)
        found.append((words, x - before, x - before + text_width(words), float(one.get("y", 0))))
    return found


@pytest.mark.parametrize("name", FRENCH)
def test_no_text_of_a_chart_for_officers_is_cut_or_covers_another(name: str) -> None:
    root = ET.fromstring(CHARTS[name])  # noqa: S314 - our own
    texts = boxes(CHARTS[name])
    for words, left, right, _ in texts:
        assert left >= 0, words
        assert right <= float(root.get("width", 0)), words
    for (one, left, right, y), (other, start, end, baseline) in combinations(texts, 2):
        apart = right <= start or end <= left or abs(y - baseline) >= 11
        assert apart, f"{one} covers {other}"


@pytest.mark.parametrize("name", FRENCH)
def test_numbers_for_officers_are_french(name: str) -> None:
    assert [text for text in words(CHARTS[name]) if text and re.search(r"\d[.]\d|\d,\d{3}\b.*%|-\d", text)] == []


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_well_formed_small_and_titled(name: str) -> None:
    root = ET.fromstring(CHARTS[name])  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title")
    assert float(root.get("width", 0)) > 0
    assert len(CHARTS[name]) < LARGEST


def test_a_chart_is_embedded_as_a_data_url() -> None:
    shown = embedded(CHARTS["bars"], "quarantine by rule")
    found = re.fullmatch(r"!\[quarantine by rule\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", shown)
    assert found
    assert base64.b64decode(found[1]).decode() == CHARTS["bars"]


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("page", ["#ffffff", "#0f1117"], ids=["light", "dark"])
@pytest.mark.parametrize("colour", [INK, BLUE, ORANGE, GREEN, RED])
def test_every_colour_stands_out_on_light_and_dark_pages(colour: str, page: str) -> None:
    one, other = sorted((luminance(colour), luminance(page)))
    assert (other + 0.05) / (
        one + 0.05
    ) >= 2.9  # WCAG asks for 3 between graphics, or large texts, and their background


def test_bars_are_as_long_as_their_figures() -> None:
    root = ET.fromstring(bars([("a", {"n": 4}), ("b", {"n": 1})], title="t"))  # noqa: S314 - our own
    long, short = (float(rect.get("width", 0)) for rect in root.iter(f"{SVG}rect"))
    assert long == pytest.approx(4 * short)


def test_rows_beyond_forty_are_added_up() -> None:
    assert words(CHARTS["many bars"])[-2:] == ["461 others", f"{sum(range(39, 500)):,}"]


def test_each_state_of_an_arrival_has_a_colour() -> None:
    assert squares_by_colour(CHARTS["arrivals"]) == {RED: 1, GREY: 19}
    assert words(CHARTS["arrivals"])[:3] == ["debit", "paydex", "01"]


def test_a_larger_coverage_has_a_stronger_shade() -> None:
    shares = {("debit", MONTHS[0]): 1.0, ("debit", MONTHS[1]): 0.5, ("debit", MONTHS[2]): 0.49}
    chart = coverage(["debit"], MONTHS[:3], shares)
    assert squares_by_colour(chart) == {shade(1.0): 1, shade(0.5): 2}
    assert int(shade(1.0)[-2:], 16) > int(shade(0.5)[-2:], 16)
    assert words(chart)[-1] == "49%"


def test_companies_beyond_a_threshold_have_the_colour_of_their_level() -> None:
    root = ET.fromstring(CHARTS["scores"])  # noqa: S314 - our own
    assert [rect.get("fill") for rect in root.iter(f"{SVG}rect")] == [BLUE, ORANGE, ORANGE, RED]


def test_stability_is_zero_for_equal_samples_and_grows_with_the_shift() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=5000)
    assert stability_index_with_unknown(values, values) == 0
    assert stability_index_with_unknown(values, rng.normal(size=5000)) < 0.02
    assert stability_index_with_unknown(values, values + 1) > 0.25


def test_becoming_unknown_is_a_shift() -> None:
    values = np.arange(1000.0)
    gone = values.copy()
    gone[:500] = np.nan
    assert stability_index_with_unknown(values, gone) > 0.25
    assert stability_index_with_unknown(gone, gone) == 0


def test_a_constant_or_an_unknown_quantity_has_a_shift_too() -> None:
    assert stability_index_with_unknown(np.zeros(10), np.zeros(10)) == 0
    assert stability_index_with_unknown(np.full(10, np.nan), np.full(10, np.nan)) == 0
    assert stability_index_with_unknown(np.zeros(10), np.ones(10)) > 1
    assert stability_index_with_unknown(np.array([]), np.ones(10)) == 0


def test_a_waterfall_ends_at_the_sum_of_its_bars() -> None:
    assert "+20,0\xa0%" in words(CHARTS["waterfall"])
    rects = [one.attrib for one in ET.fromstring(CHARTS["waterfall"]).iter(f"{SVG}rect")]  # noqa: S314 - our own
    assert [one["fill"] for one in rects] == [RED, GREEN, BLUE]
    up, down, total = ((float(one["x"]), float(one["width"])) for one in rects)
    assert down[0] + down[1] == pytest.approx(up[0] + up[1], abs=0.2)
    assert total[0] + total[1] == pytest.approx(down[0], abs=0.2)
