"""Both modes side by side on the same synthetic companies: what protected data add to open data alone.

The same method learns from the rows of each mode, at the same origins, and scores the months that follow. Each mode is
measured on the companies that it follows, then both on the companies that both follow, with the outcomes that the full mode
knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from sf_assets.engine.storage import Session
from sf_assets.evaluation.bootstrap import Interval, draw_weights, interval, ranking
from sf_assets.evaluation.origins import Origin, rolling_origins
from sf_assets.evaluation.panel import positions_in, rank_share
from sf_assets.evaluation.utility import ORIGINS, small_boosting
from sf_assets.features.configurations import IN_USE_OF
from sf_assets.features.tables import matrix_of
from sf_assets.model.learning import usable_months
from sf_assets.model.matrix import Floats
from sf_assets.model.methods import score
from sf_assets.model.rows import load_rows, sample_rows
from sf_assets.model.splits import Months
from sf_assets.model.tables import TARGET
from sf_assets.settings import Settings, warehouse_of
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.modes import BOTH, FULL, OPEN, Mode

BEGIN = "<!-- written by `sf compare-modes`: change nothing below -->"
END = "<!-- end of what `sf compare-modes` writes -->"
_LISTED = 0.05  # share of the companies followed whose first ranks are counted
_FAILURES = "select siren, periode from model_target where target and not en_procedure"
_NAMES: Mapping[Mode, str] = {FULL: "full", OPEN: "open data alone"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one mode reaches on some rows: companies and failing companies, then figures with their intervals."""

    mode: Mode
    rows: int
    companies: int
    failing: int
    roc_auc: Interval
    average_precision: Interval
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both modes on their own companies, on the common ones, and the difference of average precision on the latter."""

    month: date
    origins: tuple[date, ...]
    own: tuple[Figures, ...]
    common: tuple[Figures, ...]
    difference: Interval


def compare(folders: Mapping[Mode, Path], month: date) -> Comparison:
    """Compare the deployments of both modes, whose data folders hold the features and outcomes of a month.

    Raises:
        UserError: the history of a mode is too short.

    """
    settings = {mode: Settings.model_validate({"mode": mode, "data_dir": folders[mode]}) for mode in BOTH}
    origins = {mode: _origins(settings[mode], month) for mode in BOTH}
    months = sorted({one.month for one in origins[FULL]} & {one.month for one in origins[OPEN]})[-ORIGINS:]
    if not months:
        raise UserError(f"{month:%Y-%m}: expected origins with enough known failures in both modes, found none")
    scored = {
        mode: _scores(settings[mode], month, [one for one in origins[mode] if one.month in months]) for mode in BOTH
    }
    return comparison_of(month, tuple(months), scored)


def comparison_of(month: date, origins: tuple[date, ...], scored: Mapping[Mode, pl.DataFrame]) -> Comparison:
    """Return the comparison of scored rows: `siren`, `periode`, `target` and `score`, the rank in its month, for each mode."""
    both = scored[FULL].join(scored[OPEN], on=["siren", "periode"], suffix="_open").sort("periode", "siren")
    common = {
        FULL: both.select("siren", "periode", "target", "score"),
        OPEN: both.select("siren", "periode", "target", score="score_open"),
    }
    own, _ = zip(*(_figures(mode, scored[mode]) for mode in BOTH), strict=True)
    shared, precisions = zip(*(_figures(mode, common[mode]) for mode in BOTH), strict=True)
    return Comparison(month, origins, own, shared, interval(precisions[0] - precisions[1]))


@contextmanager
def _bound(settings: Settings, month: date) -> Iterator[tuple[Session, Months]]:
    """Yield a session with the features and outcomes of a month, and the months that have features."""
    with warehouse_of(settings).session() as session:
        usable = usable_months(session, month, settings.parameters)
        session.bind({TARGET: month})
        session.bind_months([matrix_of(settings.mode)], usable)
        with session.reading():
            yield session, usable


def _origins(settings: Settings, month: date) -> tuple[Origin, ...]:
    with _bound(settings, month) as (session, usable):
        failures = session.connection.execute(_FAILURES).pl()
        return rolling_origins(month, usable, failures, settings.split_rules)


def _scores(settings: Settings, month: date, origins: Sequence[Origin]) -> pl.DataFrame:
    """Return the rows that the origins score, companies in a procedure left out, with their rank in the month."""
    parts = []
    with _bound(settings, month) as (session, _):
        for origin in origins:
            learned = sample_rows(session, origin.training).filter(~pl.col("en_procedure"))
            outcome = [learned[column].to_numpy() for column in ("target", "weight", "siren")]
            method = small_boosting(IN_USE_OF[settings.mode]).fit(learned, *outcome)
            for tested in origin.test:
                rows = load_rows(session, (tested,)).filter(~pl.col("en_procedure"))
                ranks = pl.Series("score", rank_share(score(method, rows)))
                parts.append(rows.select("siren", "periode", "target").with_columns(ranks))
    return pl.concat(parts)


def _figures(mode: Mode, rows: pl.DataFrame) -> tuple[Figures, Floats]:
    """Return the figures of scored rows, and the average precision of each draw of companies."""
    names = rows["siren"].unique().sort()
    target, ranks = rows["target"].to_numpy(), rows["score"].to_numpy()
    company, weights = positions_in(rows["siren"], names), draw_weights(len(names))
    auc, precision = ranking(ranks, target, company, weights)
    first = ranks >= np.quantile(ranks, 1 - _LISTED)
    return (
        Figures(
            mode,
            rows.height,
            len(names),
            rows.filter("target")["siren"].n_unique(),
            interval(auc),
            interval(precision),
            float(target[first].mean()),
            float(target[first].sum() / max(target.sum(), 1)),
        ),
        precision,
    )


def lines_of(made: Comparison) -> Iterator[str]:
    """Yield the lines of the section: both tables, and the difference on the common companies."""
    first, last = (f"{day:%Y-%m}" for day in (made.origins[0], made.origins[-1]))
    yield (
        f"\nMonth {made.month:%Y-%m}, {len(made.origins)} origins from {first} to {last}; the boosting that compares sources, "
        "companies in a procedure left out. `first 5 %`: the companies ranked first in each month."
    )
    for title, figures in (
        ("Each mode on the companies it follows", made.own),
        ("On the companies both follow", made.common),
    ):
        yield f"\n### {title}\n"
        yield "| mode | rows | companies | failing | ROC AUC | average precision | first 5 %: precision | recall |"
        yield "|---|---:|---:|---:|---:|---:|---:|---:|"
        for one in figures:
            yield (
                f"| {_NAMES[one.mode]} | {one.rows:,} | {one.companies:,} | {one.failing:,} | {_shown(one.roc_auc)} "
                f"| {_shown(one.average_precision)} | {one.precision:.3f} | {one.recall:.3f} |"
            )
    yield f"\nProtected data add {_shown(made.difference)} of average precision on the companies both follow."


def _shown(figure: Interval) -> str:
    if figure.value is None:
        return "–"
    bounds = f" [{figure.low:.3f}, {figure.high:.3f}]" if figure.low is not None and figure.high is not None else ""
    return f"{figure.value:.3f}{bounds}"


def write_section(page: Path, made: Comparison) -> None:
    """Write the tables between the two marks of a page.

    Raises:
        UserError: the page does not hold both marks.

    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(
            f"{page}: expected the marks {BEGIN!r} and {END!r}, found none. Add them where the tables belong"
        )
    page.write_text(f"{before}{BEGIN}\n{chr(10).join(lines_of(made))}\n{END}{after}", encoding="utf-8")
