"""What an evaluation found for a month, or for anyone's table: its HTML report, the tables of `docs/evaluation.md`, a summary.

Where the month is synthetic, its oracle is read beside the warehouse: no asset knows of it.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.evaluation.labelled_table import read_table
from sf_assets.evaluation.page import replace_tables
from sf_assets.evaluation.report import render_report
from sf_assets.evaluation.results import EvaluationResults, load_results
from sf_assets.evaluation.table_evaluation import TableEvaluation, evaluate_table
from sf_assets.evaluation.table_report import render_table_report
from sf_assets.model.columns import Names
from sf_assets.model.methods import METHODS
from sf_assets.sources.batch import batch_key


def write_report(
    warehouse: Warehouse, month: date, *, folders: Folders, shift_days: int, page: Path | None = None
) -> tuple[Path, EvaluationResults]:
    """Write the report of a month into the folder `evaluation`, and the tables of a Markdown page if there is one.

    `shift_days` is that of the cut-off. Return the report's path, and what it is made of.
    """
    key = batch_key(month)
    with warehouse.session() as session:
        results = load_results(session, month, shift_days, folders.data / "oracle" / f"{key}.parquet", folders.mode)
    with folders.evaluation.writing(month) as root:
        report = make_private_folder(root) / f"{key}.html"
        report.write_text(render_report(results), encoding="utf-8")
    if page:
        page.write_text(replace_tables(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    return report, results


def write_table_report(
    path: Path, names: Names, *, features: Sequence[str] = (), ratios: bool = False, gap: int = 0, into: Path
) -> tuple[Path, TableEvaluation]:
    """Evaluate the methods on anyone's table and write the report below `into`; return its path and the figures.

    Args:
        path: a Parquet or CSV file, one row per company and period.
        names: the names of its columns of company, outcome and period.
        features: columns to learn from, all numbers and categories by default.
        ratios: whether ratios of the numeric columns are features too.
        gap: periods whose outcome is not yet known when the first period that measures begins.
        into: the folder of reports.

    Raises:
        UserError: the table cannot be learned from.

    """
    table = read_table(path, names, features, with_ratios=ratios)
    evaluation = evaluate_table(table, METHODS, gap=gap)
    report = make_private_folder(into) / f"{path.stem}.html"
    report.write_text(render_table_report(path.stem, table, evaluation), encoding="utf-8")
    return report, evaluation


def summary(results: EvaluationResults) -> Iterator[str]:
    """Yield the figures of the whole, the champion, and what adds nothing, line by line."""
    yield f"\n{'average precision':<14}"
    for row in results.overall("average_precision").sort("valeur", descending=True).iter_rows(named=True):
        yield f"  {row['methode']:<12}{row['valeur']:.3f} [{row['bas']:.3f}, {row['haut']:.3f}]"
    for one in results.oracle_comparisons:
        if one.group == "ensemble" and one.ratio.value is not None and one.of_bound.value is not None:
            yield f"  {one.method:<12}{one.ratio.value:.2f} of the oracle's, {one.of_bound.value:.2f} of its bound"
    if results.champion.height:
        yield f"  {results.champion['decision'][0]}"
    idle = results.utility.filter(apporte=False)["nom"].to_list()
    yield f"  adds nothing measurable: {', '.join(idle) or 'no theme nor source'}"
