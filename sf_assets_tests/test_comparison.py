"""The comparison of both modes: each on its companies, both on the common ones, with the outcomes of the full mode."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.modes import FULL, OPEN
from sf_assets_dev.comparison import BEGIN, END, comparison_of, lines_of, write_section

ROOT = Path(__file__).parents[1]
MONTHS = [date(2025, 1, 1), date(2025, 2, 1)]


def scored(companies: range, *, noise: float) -> pl.DataFrame:
    """Return ranks that tell failures apart as well as the noise allows: one company in twenty fails."""
    rng = np.random.default_rng(1)
    rows = pl.DataFrame(
        {
            "siren": [f"{n:09}" for _ in MONTHS for n in companies],
            "periode": [month for month in MONTHS for _ in companies],
            "target": [n % 20 == 0 for _ in MONTHS for n in companies],
        }
    )
    risk = rows["target"].cast(pl.Float64) + noise * rng.standard_normal(rows.height)
    return rows.with_columns((risk.rank() / rows.height).alias("score"))


def test_modes_are_measured_on_their_own_companies_then_on_the_common_ones() -> None:
    full, alone = scored(range(400), noise=0.3), scored(range(100, 600), noise=2.0)
    made = comparison_of(MONTHS[-1], (date(2024, 1, 1),), {FULL: full, OPEN: alone})
    assert [(one.mode, one.companies, one.rows, one.failing) for one in made.own] == [
        (FULL, 400, 800, 20), (OPEN, 500, 1000, 25),
    ]  # fmt: skip
    assert [(one.companies, one.failing) for one in made.common] == [(300, 15), (300, 15)]
    better, worse = (one.average_precision.value or 0 for one in made.common)
    assert made.difference.value == pytest.approx(better - worse, abs=1e-6)
    assert made.difference.low is not None
    assert made.difference.low > 0
    assert made.own[0].precision > 0.8 > made.own[1].precision
    assert made.own[0].recall > 0.8


def test_common_companies_have_the_outcome_that_the_full_mode_knows() -> None:
    full = scored(range(100), noise=0.1)
    unseen = full.with_columns(target=pl.lit(value=False))
    made = comparison_of(MONTHS[-1], (MONTHS[0],), {FULL: full, OPEN: unseen})
    assert (made.own[1].failing, made.common[1].failing) == (0, 5)
    assert made.difference.value == 0


def test_the_tables_are_written_between_their_marks(tmp_path: Path) -> None:
    made = comparison_of(MONTHS[-1], (MONTHS[0],), dict.fromkeys((FULL, OPEN), scored(range(100), noise=0.3)))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_section(page, made)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n") and text.endswith(f"\n{END}\nafter\n")  # noqa: PT018
    assert "old" not in text
    assert "\n".join(lines_of(made)) in text
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(UserError, match="expected the marks"):
        write_section(page, made)


def test_the_page_of_evaluation_holds_the_marks() -> None:
    text = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
