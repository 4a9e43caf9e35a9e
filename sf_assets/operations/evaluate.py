"""`make evaluate`: what the methods were worth, from the tables of a finished month to a report and a page.

It runs the job `evaluate`, writes `data/evaluation/<AAMM>.html` and the tables of `docs/evaluation.md`. Where the month is
synthetic, its oracle is read beside the warehouse: no asset knows of it.
"""

import argparse
import sys
import time
from pathlib import Path

from sf_assets.commands import home
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.folders import private
from sf_assets.evaluation.found import Found, read_found
from sf_assets.evaluation.page import page_with
from sf_assets.evaluation.report import html
from sf_assets.operations.progress import ended_month, run_job, say
from sf_assets.settings import Settings, resources_for
from sf_assets.sources.batch import batch_key


def main() -> int:
    """Evaluate a month that has its list; return 0 when the report was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--month", type=ended_month, default="2026-10", help="month of the batch, AAAA-MM")
    parser.add_argument("--page", type=Path, help="page whose tables are written; none by default")
    parser.add_argument(
        "--report-only", action="store_true", help="tell what is in the warehouse, compute nothing again"
    )
    arguments = parser.parse_args()
    started = time.monotonic()
    if not arguments.report_only:
        from sf_assets.definitions import defs  # noqa: PLC0415 - loads every layer, which telling does not need

        with home.instance() as instance:
            if not run_job(defs, instance, "evaluate", partition_key=arguments.month.isoformat()):
                return 1
    settings = Settings.from_environment()
    key = batch_key(arguments.month)
    warehouse: Warehouse = resources_for(settings)["warehouse"]  # type: ignore[assignment]
    with warehouse.session() as session:
        oracle = settings.data_dir / "oracle" / f"{key}.parquet"
        found = read_found(session, arguments.month, settings.cutoff_shift_days, oracle)
    report = settings.data_dir / "evaluation" / f"{key}.html"
    private(report.parent)
    report.write_text(html(found), encoding="utf-8")
    if arguments.page:
        arguments.page.write_text(page_with(arguments.page.read_text(encoding="utf-8"), found), encoding="utf-8")
    _tell(found)
    say(f"\n{time.monotonic() - started:.0f} s. {report}")
    return 0


def _tell(found: Found) -> None:
    """Print the figures of the whole, the champion and what adds nothing."""
    say(f"\n{'average precision':<14}")
    for row in found.whole("average_precision").sort("valeur", descending=True).iter_rows(named=True):
        say(f"  {row['methode']:<12}{row['valeur']:.3f} [{row['bas']:.3f}, {row['haut']:.3f}]")
    for one in found.reached:
        if one.group == "ensemble" and one.ratio.value is not None:
            say(f"  {one.method:<12}{one.ratio.value:.2f} of the oracle's")
    if found.champion.height:
        say(f"  {found.champion['decision'][0]}")
    idle = found.utility.filter(apporte=False)["nom"].to_list()
    say(f"  adds nothing measurable: {', '.join(idle) or 'no theme nor source'}")


if __name__ == "__main__":
    sys.exit(main())
