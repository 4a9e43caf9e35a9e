"""The results of an evaluation: an HTML report, the tables of `docs/evaluation.md`, and a summary of a few lines.

The oracle of a synthetic month is a file beside the warehouse, which no asset reads.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.folders import private
from sf_assets.evaluation.found import Found, read_found
from sf_assets.evaluation.page import page_with
from sf_assets.evaluation.report import html
from sf_assets.sources.batch import batch_key


def write_report(
    warehouse: Warehouse, month: date, *, data: Path, shift_days: int, page: Path | None = None
) -> tuple[Path, Found]:
    """Write the report of a month below `data/evaluation`, and the tables of a Markdown page if there is one.

    `shift_days` is `SF_CUTOFF_SHIFT_DAYS`. Return the path of the report, and the results it shows.
    """
    key = batch_key(month)
    with warehouse.session() as session:
        results = read_found(session, month, shift_days, data / "oracle" / f"{key}.parquet")
    report = private(data / "evaluation") / f"{key}.html"
    report.write_text(html(results), encoding="utf-8")
    if page:
        page.write_text(page_with(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    return report, results


def summary(results: Found) -> Iterator[str]:
    """Yield lines: the average precision of each method, the champion, and the themes and sources that add nothing."""
    yield f"\n{'average precision':<14}"
    for row in results.whole("average_precision").sort("valeur", descending=True).iter_rows(named=True):
        yield f"  {row['methode']:<12}{row['valeur']:.3f} [{row['bas']:.3f}, {row['haut']:.3f}]"
    for reach in results.reached:
        if reach.group == "ensemble" and reach.ratio.value is not None:
            yield f"  {reach.method:<12}{reach.ratio.value:.2f} of the oracle's"
    if results.champion.height:
        yield f"  {results.champion['decision'][0]}"
    idle = results.utility.filter(apporte=False)["nom"].to_list()
    yield f"  adds nothing measurable: {', '.join(idle) or 'no theme nor source'}"
