"""`python -m sf_assets_dev.synthetic --month 2026-10 --into data/incoming/2610`: write one synthetic batch."""

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import get_args

from sf_assets_dev.synthetic.batch import write_batch
from sf_assets_dev.synthetic.nomenclature import Nomenclature


def main() -> None:
    """Read the command line, write the batch and say how many rows it has."""
    parser = argparse.ArgumentParser(
        prog="python -m sf_assets_dev.synthetic", description="Write one month of synthetic files."
    )
    parser.add_argument("--month", required=True, help="month of the batch, AAAA-MM")
    parser.add_argument("--into", required=True, type=Path, help="folder of the batch, such as data/incoming/2610")
    parser.add_argument("--companies", type=int, default=4000, help="companies that ever had ten staff")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--years", type=int, default=10, help="years of history in the monthly files")
    parser.add_argument("--oracle", type=Path, help="Parquet file of the true risks, outside of the batch")
    parser.add_argument(
        "--nomenclature",
        choices=get_args(Nomenclature),
        help="activities before, during or after the switch to NAF 2025; by default what the month should bring",
    )
    parser.add_argument("--others", action="store_true", help="also VAT returns, Diane and Ellisphere")
    asked = parser.parse_args()
    rows = write_batch(
        asked.into,
        month=date.fromisoformat(f"{asked.month}-01"),
        companies=asked.companies,
        seed=asked.seed,
        years=asked.years,
        oracle=asked.oracle,
        nomenclature=asked.nomenclature,
        others=asked.others,
    )
    sys.stdout.write(f"{asked.into}: {len(rows)} files, {sum(rows.values()):,} rows\n")


if __name__ == "__main__":
    main()
