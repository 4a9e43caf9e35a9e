"""`make evaluate`: what the methods were worth, from the tables of a finished month to a report and a page."""

import argparse
import sys
import time

import dagster as dg

from sf_assets.progress import ended_month, run_job, say


def main() -> int:
    """Run the evaluation of a month that has its list; return 0 when it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--month", type=ended_month, default="2026-10", help="month of the batch, AAAA-MM")
    arguments = parser.parse_args()
    started = time.monotonic()
    from sf_assets.definitions import defs  # noqa: PLC0415 - the first line of help need not wait for every layer

    with dg.DagsterInstance.get() as instance:
        done = run_job(defs, instance, "evaluate", partition_key=arguments.month.isoformat())
    say(f"\n{time.monotonic() - started:.0f} s")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
