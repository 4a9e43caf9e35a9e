"""Mishaps of deliveries: late, copied while the sensor looks, repeated, damaged, of a month that has not ended."""

import shutil
from datetime import date

from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.life.deployment import OperatedDeployment
from sf_assets_dev.life.mishap import CONTRIBUTIONS, DEBITS, Mishap, deliver_batch, shortened

_OPTIONAL = "Ellisphère-Tête de groupe-FRA.xlsx"


def late_delivery(deployment: OperatedDeployment, month: date) -> Mishap:
    """Deliver a month without its debts, then the debts."""
    deliver_batch(deployment, month, without=DEBITS)
    waits = deployment.look_twice()
    shutil.copy2(deployment.folder / "ready" / f"{month:%y%m}" / DEBITS, deployment.batch(month))
    deployment.start(deployment.look_twice())
    return Mishap(
        "a file comes days after the others",
        f"the sensor says: {waits.said}; {len(waits.requests)} runs",
        ("deliver the file",),
        "nothing",
        deployment.is_green(month) and not waits.requests,
    )


def done_already(deployment: OperatedDeployment, month: date) -> Mishap:
    """Evaluate sensor and schedule for a month whose list is made."""
    runs = deployment.instance.get_runs_count()
    looked, ticked = deployment.look_twice(), deployment.tick(month)
    same = deployment.instance.get_runs_count() == runs and not (looked.requests or ticked.requests)
    return Mishap(
        "the schedule's day comes after the list was made",
        f"the schedule says: {shortened(ticked.said)}",
        (),
        "nothing",
        deployment.is_green(month) and same,
    )


def still_copied(deployment: OperatedDeployment, month: date) -> Mishap:
    """Let the sensor look at a batch of which one file is still being copied."""
    deliver_batch(deployment, month)
    path = deployment.batch(month) / DEBITS
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    first = deployment.look()
    path.write_bytes(whole)
    second = deployment.look()
    return Mishap(
        "the sensor looks while files are copied",
        f"{len(first.requests) + len(second.requests)} runs; the sensor says: {shortened(second.said)}",
        (),
        "nothing",
        not first.requests and not second.requests,
    )


def repeated_file(deployment: OperatedDeployment, month: date) -> Mishap:
    """Deliver the contributions of the month before: of any size of the world, they have too many lines to be unchanged."""
    shutil.copy2(deployment.batch(add_months(month, -1)) / CONTRIBUTIONS, deployment.batch(month))
    _spoil_optional(deployment, month)  # seen by the same run, reported by the next mishap
    deployment.start(deployment.look_twice())
    seen = deployment.status(month)["sources"].detail
    shutil.copy2(deployment.folder / "ready" / f"{month:%y%m}" / CONTRIBUTIONS, deployment.batch(month))
    return Mishap(
        "last month's file is delivered again",
        f"status: {seen}",
        ("deliver the right file; the sensor starts the month",),
        "nothing: no list was made from it",
        "src_cotisation" in seen and not deployment.lists(month),
    )


def _spoil_optional(deployment: OperatedDeployment, month: date) -> None:
    (deployment.batch(month) / _OPTIONAL).write_bytes(b"")


def bad_optional_file(deployment: OperatedDeployment, month: date) -> Mishap:
    """Tell what became of the empty workbook that came with the repeated file."""
    refused = deployment.status(month)["sources"].detail
    (deployment.batch(month) / _OPTIONAL).unlink()
    return Mishap(
        "an optional workbook is empty",
        f"status: {refused}; every other file was loaded",
        ("remove the file, or deliver it again",),
        "nothing",
        "src_ellisphere" in refused and deployment.rows("stg_debit", month)[0] > 0,
    )


def month_not_ended(deployment: OperatedDeployment, month: date) -> Mishap:
    """Deliver a folder named after a month that has not ended."""
    deployment.batch(month).mkdir(parents=True)
    (deployment.batch(month) / DEBITS).write_text("early\n")
    look = deployment.look_twice()
    shutil.rmtree(deployment.batch(month))
    return Mishap(
        "a batch of a month that has not ended",
        f"the sensor says: {shortened(look.said)}",
        ("rename the folder",),
        "nothing",
        not look.requests and f"{month:%y%m}" in look.said,
    )
